// What the server said against an upload, in its place above the button, and a suggestion where it has one.
(function () {
  /** @type {Record<string, string>} */
  const ASKED = { keep_rate: thinice.ids.upload.KEEP_RATE, architecture: thinice.ids.upload.ARCHITECTURE }; // what a file may leave open

  /**
   * Show an error; null takes it away.
   * @param {RestError | null} error
   */
  function refuse(error) {
    const place = document.getElementById(thinice.ids.upload.REFUSAL);
    if (!place) return;
    place.replaceChildren();
    if (!error) return;
    const { make } = thinice.elements;
    const box = make("div", "refusal");
    const mark = make("span", "icon icon-warning");
    mark.setAttribute("aria-hidden", "true");
    const words = make("span", "", error.message + " ");
    const request = error.request_id ? ", request " + error.request_id : "";
    words.append(make("span", "small", "(code " + error.code + request + "). Your entries are kept."));
    box.append(mark, words);
    const asked = error.details && ASKED[error.details.ask || ""];
    if (error.details && asked && error.details.suggestion) words.append(" ", suggest(asked, error.details));
    place.append(box);
    box.scrollIntoView({ block: "nearest" });
  }

  /**
   * A button, never done unasked: what a file leaves open is for the user to say.
   * @param {string} field
   * @param {{ ask?: string, suggestion?: unknown }} details
   */
  function suggest(field, details) {
    const button = thinice.elements.make("button", "button", "Use the suggested value");
    button.setAttribute("type", "button");
    button.addEventListener("click", () => {
      const { asPercent, isInPercent } = thinice.uploadForm;
      const value = isInPercent(details.ask || "") ? asPercent(Number(details.suggestion)) : details.suggestion;
      window.dash_clientside.set_props(field, { value });
      const input = document.getElementById(field);
      if (input) input.focus();
    });
    return button;
  }

  /**
   * JSON as an object; null where it is none.
   * @param {string} text
   * @returns {Record<string, unknown> | null}
   */
  function parse(text) {
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  }

  /**
   * The error that a response tells of, or one about its status.
   * @param {Record<string, unknown> | null} response
   * @param {number} status
   * @returns {RestError}
   */
  function errorOf(response, status) {
    if (response && response.error) return /** @type {RestError} */ (response.error);
    return { code: "http_" + status, message: "The server responded with status " + status + " and gave no reason." };
  }

  /** @type {ThinIce["refusal"]} */
  const refusal = { refuse, parse, errorOf };
  window.thinice = Object.assign({}, window.thinice, { refusal });
})();
