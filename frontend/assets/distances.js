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
    const [over = NaN, under = 1, ...more] = (text || "").split("/").map(Number);
    const value = text && !more.length ? over / under : NaN;
    return Number.isFinite(value) && value > 0 ? value * unit.scale : fallback;
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
  const distances = { asText, fromText, words, isNear };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { distances });
})();
