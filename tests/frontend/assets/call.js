// Calls functions of the dashboard's scripts: node call.js SCRIPT..., with [["numbers.count", [1234]], ...] on stdin.
// The scripts run in a context with nothing of the browser, so only those that need nothing of it can be called.
// {"call": [name, arguments]} among the arguments is what that call returns; the same one is made once.
const fs = require("node:fs");
const vm = require("node:vm");

const context = vm.createContext({ atob });
for (const file of process.argv.slice(2)) vm.runInContext(fs.readFileSync(file, "utf8"), context, { filename: file });

const made = new Map();

function call(name, given) {
  const found = name.split(".").reduce((holder, part) => holder[part], context.thinice);
  if (found === undefined) throw new Error("no script has " + name);
  return typeof found === "function" ? found(...given.map(resolve)) : found;
}

function resolve(argument) {
  if (Array.isArray(argument)) return argument.map(resolve);
  if (!argument || typeof argument !== "object") return argument;
  if (argument.map) return new Map(Object.entries(argument.map)); // as an address is read
  if (!argument.call) return Object.fromEntries(Object.entries(argument).map(([key, value]) => [key, resolve(value)]));
  const key = JSON.stringify(argument.call);
  if (!made.has(key)) made.set(key, call(...argument.call));
  return made.get(key);
}

// Typed arrays are written as lists; infinite numbers as null, as JSON does.
const write = (key, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
const answers = JSON.parse(fs.readFileSync(0, "utf8")).map(([name, given]) => {
  const answer = call(name, given);
  return answer === undefined ? null : answer;
});
process.stdout.write(JSON.stringify(answers, write));
