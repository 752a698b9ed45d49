// Calls functions of the dashboard's scripts: node call.js SCRIPT..., with [["numbers.count", [1234]], ...] on stdin.
// The scripts run in a context with nothing of the browser, so only those that need nothing of it can be called.
const fs = require("node:fs");
const vm = require("node:vm");

const context = vm.createContext({});
for (const file of process.argv.slice(2)) vm.runInContext(fs.readFileSync(file, "utf8"), context, { filename: file });

const answers = JSON.parse(fs.readFileSync(0, "utf8")).map(([name, given]) => {
  const found = name.split(".").reduce((holder, part) => holder[part], context.thinice);
  if (found === undefined) throw new Error("no script has " + name);
  const answer = typeof found === "function" ? found(...given) : found;
  return answer === undefined ? null : answer;
});
process.stdout.write(JSON.stringify(answers));
