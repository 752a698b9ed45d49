// The boundary slice of a sample: asked for once the page has been looked at for a moment, followed, and drawn.
(function () {
  const PAUSE = 400; // milliseconds on a sample before its slice is asked for: a quick walk asks for none
  const POLL = 300;
  /** @type {WeakSet<Element>} */
  const begun = new WeakSet();

  function begin() {
    const place = document.getElementById(thinice.ids.sample.SLICE);
    if (!place || begun.has(place)) return;
    begun.add(place);
    window.setTimeout(() => {
      if (place.isConnected) void ask(place, "/api/v1/comparisons/slices");
    }, PAUSE);
  }
  new MutationObserver(begin).observe(document.documentElement, { childList: true, subtree: true });

  /**
   * Ask for the slice, follow it to its end, and show it, or why there is none.
   * @param {HTMLElement} place
   * @param {string} address
   */
  async function ask(place, address) {
    /** @type {SliceWanted} */
    const wanted = JSON.parse(thinice.elements.data(place, "slice"));
    const body = JSON.stringify({ dense: wanted.dense, pruned: wanted.pruned, index: wanted.index });
    try {
      /** @type {SliceJob} */
      let job = await call(address, { method: "POST", headers: { "content-type": "application/json" }, body });
      while (job.state === "queued" || job.state === "running") {
        say(place, job.state === "queued" ? "Waiting for a worker …" : `Drawing: ${job.progress.stage}`);
        await new Promise((resolve) => window.setTimeout(resolve, POLL));
        if (!place.isConnected) return;
        job = await call(`/api/v1/evidence/${job.id}`);
      }
      if (!place.isConnected) return;
      if (job.state === "succeeded") show(place, wanted, await call(`/api/v1/evidence/${job.id}/slice`));
      else refuse(place, job.error ? job.error.message : "The slice was cancelled.", `/api/v1/evidence/${job.id}/resume`);
    } catch (error) {
      refuse(place, error instanceof Error ? error.message : String(error), address);
    }
  }

  /**
   * The JSON of a response; an Error with the sentence of the server where it refused.
   * @param {string} address
   * @param {RequestInit} [options]
   */
  async function call(address, options) {
    const response = await fetch(address, options);
    const content = await response.json();
    if (!response.ok) throw new Error(thinice.refusal.errorOf(content, response.status).message);
    return content;
  }

  /**
   * @param {HTMLElement} place
   * @param {string} words
   */
  function say(place, words) {
    const status = place.querySelector(".slice-status");
    if (status && status.textContent !== words) status.textContent = words;
  }

  /**
   * @param {HTMLElement} place
   * @param {string} words
   * @param {string} address to try again at
   */
  function refuse(place, words, address) {
    const again = thinice.elements.make("button", "button", "Try again");
    again.addEventListener("click", () => {
      again.remove();
      void ask(place, address);
    });
    say(place, `No slice: ${words}`);
    place.append(again);
    answers().forEach((one) => (one.textContent = "not asked: see the boundary slice"));
  }

  /** @returns {NodeListOf<HTMLElement>} */
  const answers = () => document.querySelectorAll(`#${thinice.ids.sample.PAGE} [data-answer]`);

  /**
   * @param {HTMLElement} place
   * @param {SliceWanted} wanted
   * @param {SliceFound} found
   */
  function show(place, wanted, found) {
    place.replaceChildren(...thinice.slicePicture.draw(wanted, found));
    answers().forEach((one) => fill(one, wanted, found));
  }

  /**
   * What one network says of the other one's adversarial.
   * @param {HTMLElement} one
   * @param {SliceWanted} wanted
   * @param {SliceFound} found
   */
  function fill(one, wanted, found) {
    const [network, point] = thinice.elements.data(one, "answer").split(":");
    const mark = found.marks.find((item) => item.name === point);
    if (!mark) return;
    const said = network === "dense" ? mark.dense : mark.pruned;
    const isRight = said === found.label;
    const name = thinice.elements.make("strong", "", thinice.slicePicture.className(wanted, said));
    const verdict = thinice.elements.make("span", isRight ? "muted" : "is-lost strong", isRight ? "correct" : "wrong");
    one.replaceChildren("says ", name, ", ", verdict);
  }
})();
