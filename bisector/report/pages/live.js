// Follows what happens: when the server says that something changed, the page's content is fetched anew and put in place.
"use strict";
(() => {
  const main = document.getElementById("live");
  if (!main || !main.dataset.follow || !window.EventSource) return;
  let wanted = false, busy = false;
  const refresh = async () => {
    if (busy || document.hidden || main.contains(document.activeElement) && document.activeElement.matches("input, select")) {
      wanted = true;
      return;
    }
    busy = true;
    wanted = false;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.ok) {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
        if (fresh) {
          main.replaceChildren(...fresh.childNodes);
          if (!fresh.dataset.follow) source.close();
        }
      }
    } catch { /* the server is away: the event source tries again, and so do we */ }
    busy = false;
    if (wanted) setTimeout(refresh, 300);
  };
  const source = new EventSource(main.dataset.follow);
  source.addEventListener("changed", refresh);
  document.addEventListener("visibilitychange", () => { if (!document.hidden && wanted) refresh(); });
})();
