// Follows what happens: when the server says that something changed, the page is fetched anew and what differs is put in
// place. The stream begins once the page has been loaded, and only while somebody can see it: a browser has six connections
// to a server, and as many forgotten tabs would leave none for the next page.
"use strict";
(() => {
  const main = document.getElementById("live"), away = document.getElementById("away");
  if (!main || !main.dataset.follow || !window.EventSource) return;
  const AFTER_LOAD = 1000, AGAIN = 300, AWAY = 6000;
  let source = null, busy = false, wanted = false, missing = 0;
  const typing = () => main.contains(document.activeElement) && document.activeElement.matches("input, select");
  const there = (answers) => {
    clearTimeout(missing);
    missing = answers ? 0 : setTimeout(() => { away.hidden = false; }, AWAY);
    if (answers) away.hidden = true;
  };
  // Part by part, so that what did not change keeps its selection, its focus and what was unfolded in it.
  const replace = (fresh) => {
    const old = [...main.children], made = [...fresh.children];
    made.forEach((part, place) => {
      if (place >= old.length) main.append(part);
      else if (!old[place].isEqualNode(part)) old[place].replaceWith(part);
    });
    old.slice(made.length).forEach((part) => part.remove());
    main.dataset.follow = fresh.dataset.follow || "";
  };
  const refresh = async () => {
    if (busy || typing()) { wanted = true; return; }
    busy = true;
    wanted = false;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      const text = await answer.text();
      const page = new DOMParser().parseFromString(text, "text/html");
      const fresh = page.getElementById("live");
      if (answer.ok && fresh) {
        replace(fresh);
        document.title = page.title;
        if (!main.dataset.follow) close();
      }
    } catch { /* the server is away: the stream tells when it is back */ }
    busy = false;
    if (wanted) setTimeout(refresh, AGAIN);
  };
  const close = () => { if (source) source.close(); source = null; clearTimeout(missing); };
  const open = () => {
    if (source || document.hidden || !main.dataset.follow) return;
    source = new EventSource(main.dataset.follow);
    source.addEventListener("open", () => there(true));
    source.addEventListener("error", () => { if (!missing) there(false); });
    source.addEventListener("changed", refresh);
  };
  const begin = () => setTimeout(open, AFTER_LOAD);
  if (document.readyState === "complete") begin(); else addEventListener("load", begin);
  document.addEventListener("visibilitychange", () => { if (document.hidden) close(); else open(); });
  document.addEventListener("focusout", () => { if (wanted) setTimeout(refresh, AGAIN); });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
})();
