// Keeps the parts of a page that bear `data-live` as they stand now: one stream of changes a page, and after a change
// that concerns the page, its fresh copy, from which the marked parts are taken. Focus, scroll and open details stay.

const QUIET = 700; // ms: changes come in swarms
const LEAST = 2000; // ms between two fetches

let timer = null;
let running = false;
let last = 0;
let wanted = false;

function parts() {
  return document.querySelectorAll("[data-live][id]");
}

function concerns(kind) {
  return Array.from(parts()).some((part) => {
    const kinds = part.dataset.live.split(" ");
    return kinds.includes("*") || kinds.includes(kind);
  });
}

function say(on) {
  const lamp = document.getElementById("live");
  if (!lamp) return;
  lamp.hidden = false;
  lamp.classList.toggle("off", !on);
  const words = on ? lamp.dataset.on : lamp.dataset.off;
  if (lamp.textContent !== words) lamp.textContent = words;
}

function busy(part) {
  // Somebody is writing or choosing in it.
  const at = document.activeElement;
  return part.contains(at) && at.matches("input, select, textarea");
}

function swap(part, fresh) {
  if (part.innerHTML === fresh.innerHTML) return;
  const opened = Array.from(part.querySelectorAll("details")).map((one) => one.open);
  const scrolled = Array.from(part.querySelectorAll(".scroll")).map((one) => [one.scrollLeft, one.scrollTop]);
  const at = part.contains(document.activeElement) ? document.activeElement : null;
  const mark = at && (at.id ? `#${CSS.escape(at.id)}` : at.getAttribute("href") ? `a[href="${CSS.escape(at.getAttribute("href"))}"]` : null);
  part.replaceChildren(...document.importNode(fresh, true).childNodes);
  part.querySelectorAll("details").forEach((one, place) => { if (opened[place]) one.open = true; });
  part.querySelectorAll(".scroll").forEach((one, place) => { if (scrolled[place]) [one.scrollLeft, one.scrollTop] = scrolled[place]; });
  const again = mark && part.querySelector(mark);
  if (again) again.focus({ preventScroll: true });
}

async function refresh() {
  if (running || document.hidden) { wanted = true; return; }
  running = true;
  wanted = false;
  last = Date.now();
  try {
    const answer = await fetch(location.href, { credentials: "same-origin", headers: { "x-refresh": "1" } });
    if (answer.redirected && !answer.url.startsWith(location.href.split("?")[0])) { location.reload(); return; }
    if (answer.ok) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of parts()) {
        const copy = fresh.getElementById(part.id);
        if (copy && !busy(part)) swap(part, copy);
      }
    }
  } catch (error) {
    say(false);
  } finally {
    running = false;
    if (wanted) soon();
  }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(refresh, Math.max(QUIET, LEAST - (Date.now() - last)));
}

export function watch() {
  const address = document.body.dataset.changes;
  if (!address || !parts().length || !("EventSource" in window)) return;
  const stream = new EventSource(address);
  stream.onopen = () => say(true);
  stream.onerror = () => say(false);
  stream.onmessage = (event) => {
    let kind = "*";
    try { kind = JSON.parse(event.data).kind || "*"; } catch (error) { /* a change of a kind unknown to us */ }
    if (concerns(kind)) soon();
  };
  document.addEventListener("visibilitychange", () => { if (!document.hidden && wanted) soon(); });
  window.addEventListener("pagehide", () => stream.close());
}
