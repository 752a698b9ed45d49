// Numbers as the pages write them, digit for digit as frontend/words.py does. Pure: tests call this in Node.
(function () {
  const SIZE_UNITS = ["kB", "MB", "GB", "TB", "PB"];
  const FURTHER = 25; // digits looked at beyond those shown: a double that is no tie differs from one before them

  /**
   * A number of at least 0 with so many digits. A tie goes to the even digit, as in Python; toFixed rounds it up.
   * @param {number} value
   * @param {number} digits
   */
  function fixed(value, digits) {
    const exact = value.toFixed(digits + FURTHER);
    const below = exact.slice(0, -FURTHER).replace(/\.$/, "");
    const isTie = exact.endsWith("5" + "0".repeat(FURTHER - 1));
    return isTie && Number(below.slice(-1)) % 2 === 0 ? below : value.toFixed(digits);
  }

  /** @param {number} number */
  const count = (number) => number.toLocaleString("en-US");

  /**
   * A share 0..1 as `73.8 %`.
   * @param {number} share
   * @param {number} digits
   */
  const percent = (share, digits) => fixed(100 * share, digits) + " %";

  /**
   * `412.0 kB`, `1.3 GB`, in powers of a thousand, as humanize writes them.
   * @param {number} bytes
   */
  function sizeWords(bytes) {
    if (bytes < 1000) return bytes === 1 ? "1 Byte" : fixed(bytes, 0) + " Bytes";
    let size = bytes / 1000, place = 0;
    while (Number(fixed(size, 1)) >= 1000 && place < SIZE_UNITS.length - 1) { size /= 1000; place += 1; }
    return fixed(size, 1) + " " + SIZE_UNITS[place];
  }

  /** @type {ThinIce["numbers"]} */
  const numbers = { fixed, count, percent, sizeWords };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { numbers });
})();
