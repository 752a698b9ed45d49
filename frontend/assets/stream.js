// One stream of events for the page that is looked at: the rail's count, the cells that changed, and what began or
// ended. A hidden tab closes its stream, because a browser opens few connections to one server at a time.
(function () {
  const PATIENCE = 10000; // milliseconds until a stream that the server refused is tried again
  /** @type {EventSource | null} */
  let source = null;
  /** @type {string | null} */
  let known = null;

  /** @param {string} stamp */
  function announce(stamp) {
    if (stamp === known) return;
    known = stamp;
    window.dash_clientside.set_props(thinice.ids.shell.CHANGED, { data: stamp });
  }

  /** @param {number} waiting */
  function count(waiting) {
    const place = document.getElementById(thinice.ids.shell.JOBS_COUNT);
    if (place) place.textContent = waiting ? String(waiting) : "";
  }

  function open() {
    if (source || document.hidden) return;
    const own = new EventSource("/live");
    source = own;
    own.addEventListener("state", (event) => {
      const state = JSON.parse(event.data);
      count(state.waiting);
      announce(state.stamp);
    });
    own.addEventListener("cells", (event) => thinice.live.patch(JSON.parse(event.data)));
    own.addEventListener("error", () => {
      if (own.readyState !== EventSource.CLOSED || source !== own) return; // otherwise the browser connects again
      close();
      window.setTimeout(() => {
        announce(String(Date.now())); // pages look for themselves while no stream tells them
        open();
      }, PATIENCE);
    });
  }

  function close() {
    if (source) source.close();
    source = null;
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => event.persisted && open());
  window.thinice = Object.assign({}, window.thinice, { stream: { open } });
})();
