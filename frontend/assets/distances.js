// Distances in shown units (25.5 stands for 25.5/255) and as text. Pure: tests call this in Node.
(function () {
  /** @param {Unit} unit */
  const digitsOf = (unit) => (unit.suffix ? 1 : 3);

  /**
   * A slider's value as the address and the page write it.
   * @param {number} value
   * @param {Unit} unit
   */
  function asText(value, unit) {
    return Number(thinice.numbers.fixed(value, digitsOf(unit))) + unit.suffix;
  }

  /**
   * The length that an address names (`8/255`, `0.5`) in shown units; the fallback where it names none.
   * @param {string | null | undefined} text
   * @param {number} fallback
   * @param {Unit} unit
   */
  function fromText(text, fallback, unit) {
    const value = stored(text || "");
    return Number.isFinite(value) && value > 0 ? value * unit.scale : fallback;
  }

  /**
   * The length that an address names as it is stored; NaN where it names none.
   * @param {string} text
   */
  function stored(text) {
    const [over = NaN, under = 1, ...more] = text.split("/").map(Number);
    return text && !more.length ? over / under : NaN;
  }

  /**
   * An eps as the server writes it: tenths of 1/255 as such, otherwise as it was given.
   * @param {string} text
   * @param {Unit} unit
   */
  function epsText(text, unit) {
    const tenths = 10 * unit.scale * stored(text);
    if (unit.suffix && Math.abs(tenths - Math.round(tenths)) < 1e-9) return Math.round(tenths) / 10 + unit.suffix;
    return text.includes("/") ? text : String(Number(text));
  }

  /**
   * A margin in words; null is one that was not found.
   * @param {number | null | undefined} value
   * @param {Unit} unit
   */
  function words(value, unit) {
    if (value === null || value === undefined) return "none found";
    return value === 0 ? "already wrong" : thinice.numbers.fixed(value, digitsOf(unit)) + unit.suffix;
  }

  /**
   * Whether two values are one place of a slider.
   * @param {number} first
   * @param {number} second
   */
  const isNear = (first, second) => Math.abs(first - second) < 1e-6;

  /** @type {ThinIce["distances"]} */
  const distances = { asText, fromText, stored, epsText, words, isNear };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { distances });
})();
