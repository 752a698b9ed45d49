// A table as text: CSV, Markdown and LaTeX; and in which order its rows stand. Pure: tests call this in Node.
(function () {
  /** @type {Record<string, string>} */
  const ESCAPES = {
    "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "&": "\\&", "%": "\\%", "$": "\\$", "#": "\\#", "_": "\\_",
    "~": "\\textasciitilde{}", "^": "\\textasciicircum{}",
  };
  const SIGNS = /[\u2212\u2013]/g; // minus and dash as pages write them

  /**
   * RFC 4180: a field with a comma, a quote or a line break stands in quotes. One that a spreadsheet would take for a
   * formula begins with an apostrophe; a signed number is none.
   * @param {string[][]} rows
   */
  function csv(rows) {
    return rows.map((row) => row.map(field).join(",") + "\r\n").join("");
  }

  /** @param {string} text */
  function field(text) {
    const plain = /^[\u2212-][\d.]/.test(text) ? text.replace("\u2212", "-") : text;
    const safe = /^[=+@\t]/.test(plain) && !/^\+[\d.]/.test(plain) ? "'" + plain : plain;
    return /[",\r\n]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
  }

  /**
   * The first row is the head; columns of numbers are aligned at their right.
   * @param {string[][]} rows
   * @param {boolean[]} numeric
   */
  function markdown(rows, numeric) {
    const lines = rows.map((row) => "| " + row.map((text) => text.replaceAll("|", "\\|")).join(" | ") + " |");
    const rule = "|" + (rows[0] || []).map((_text, place) => (numeric[place] ? "---:" : "---")).join("|") + "|";
    return [...lines.slice(0, 1), rule, ...lines.slice(1)].join("\n") + "\n";
  }

  /**
   * A tabular with the rules of the package booktabs.
   * @param {string[][]} rows
   * @param {boolean[]} numeric
   */
  function latex(rows, numeric) {
    const columns = (rows[0] || []).map((_text, place) => (numeric[place] ? "r" : "l")).join("");
    const lines = rows.map((row) => row.map(escape).join(" & ") + " \\\\");
    const body = [lines[0] || "", "\\midrule", ...lines.slice(1)].join("\n");
    return `\\begin{tabular}{${columns}}\n\\toprule\n${body}\n\\bottomrule\n\\end{tabular}\n`;
  }

  /** @param {string} text */
  function escape(text) {
    return text
      .replace(/[\\{}&%$#_~^]/g, (sign) => ESCAPES[sign] || sign)
      .replaceAll("\u2212", "$-$")
      .replaceAll("\u03b5", "$\\varepsilon$")
      .replaceAll("\u03b4", "$\\delta$")
      .replaceAll("\u25bc", "$\\blacktriangledown$")
      .replaceAll("\u25b2", "$\\blacktriangle$");
  }

  /**
   * What a cell is sorted by: its first number, else its words. Cells without either come last in both directions.
   * @param {string} text
   * @returns {number | string | null}
   */
  function keyOf(text) {
    const plain = text.replace(SIGNS, "-").replaceAll(",", "").trim();
    if (!plain || plain === "-") return null;
    const number = /^[^\w+-]*([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?![\w-]*[a-z])/i.exec(plain);
    return number ? Number(number[1]) : plain.toLowerCase();
  }

  /**
   * The places of rows in their new order; equal ones keep theirs.
   * @param {string[]} cells
   * @param {boolean} isDescending
   */
  function order(cells, isDescending) {
    const keys = cells.map(keyOf);
    const sign = isDescending ? -1 : 1;
    return cells.map((_cell, place) => place).sort((one, other) => compare(keys[one], keys[other], sign) || one - other);
  }

  /**
   * @param {number | string | null | undefined} one
   * @param {number | string | null | undefined} other
   * @param {number} sign
   */
  function compare(one, other, sign) {
    if (one === null || one === undefined) return other === null || other === undefined ? 0 : 1;
    if (other === null || other === undefined) return -1;
    if (typeof one === "number" && typeof other === "number") return sign * (one - other);
    if (typeof one !== typeof other) return typeof one === "number" ? -1 : 1;
    return sign * String(one).localeCompare(String(other), "en", { numeric: true });
  }

  /**
   * Whether a row has every word that was typed.
   * @param {string} text
   * @param {string} typed
   */
  function fits(text, typed) {
    const line = text.toLowerCase();
    return typed.toLowerCase().split(/\s+/).every((word) => line.includes(word));
  }

  /**
   * Words as a part of a file's name.
   * @param {string} words
   */
  function slug(words) {
    return words.toLowerCase().replaceAll("/", "-").replace(/[^\p{L}\p{N}.-]+/gu, "-").replace(/-{2,}/g, "-").replace(/^[-.]+|[-.]+$/g, "");
  }

  /** @type {ThinIce["tableTexts"]} */
  const tableTexts = { csv, markdown, latex, keyOf, order, fits, slug };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { tableTexts });
})();
