// Keeps the parts of a page that bear `data-live` as they stand now: one stream of changes a page, and after a change
// that concerns the page, its fresh copy, from which the marked parts are taken. Focus, scroll and open details stay.

const QUIET = 700; // ms: changes come in swarms
const LEAST = 2000; // ms between two fetches
const AWAY = 10000; // ms in the background after which the stream is given back

let timer = null;
let running = false;
let last = 0;
let wanted = false;

function parts() {
  return Array.from(document.querySelectorAll("[data-live][id]"));
}

function kinds() {
  const found = new Set(parts().flatMap((part) => part.dataset.live.split(" ")));
  // More happened than is told one by one.
  return found.add("missed");
}

function concerns(event) {
  const about = document.body.dataset.about;
  if (!about || event.type === "missed") return true;
  try { return [about, "system"].includes(JSON.parse(event.data).subject); } catch (error) { return true; }
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

let stream = null;

function open(address) {
  if (stream) return;
  stream = new EventSource(address);
  stream.onopen = () => say(true);
  stream.onerror = () => say(false);
  for (const kind of kinds()) stream.addEventListener(kind, (event) => { if (concerns(event)) soon(); });
}

function close() {
  if (stream) stream.close();
  stream = null;
}

export function watch() {
  const address = document.body.dataset.changes;
  if (!address || !parts().length || !("EventSource" in window)) return;
  open(address);
  // What no change tells of (Prefect's own state) is looked at now and then.
  const every = Math.min(...parts().map((part) => Number(part.dataset.every) || Infinity));
  if (Number.isFinite(every)) setInterval(soon, every * 1000);
  // A browser keeps few connections to one host: a page that nobody looks at gives its own back.
  let leaving = null;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(leaving);
    if (document.hidden) {
      leaving = setTimeout(close, AWAY);
    } else {
      if (!stream || wanted) soon();
      open(address);
    }
  });
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => { if (event.persisted) { open(address); soon(); } });
}
