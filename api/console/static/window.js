// The clerk's window: what is typed is checked as it is typed, at the field and beside the form.

const form = document.querySelector("form[data-check]");
const PAUSE = 350; // ms without a key

let timer = null;
let asked = 0;

function show(panel) {
  const wrong = new Map(Array.from(panel.querySelectorAll("[data-field]")).map((one) => [one.dataset.field, one.textContent]));
  for (const place of form.querySelectorAll("[data-wrong]")) {
    const words = wrong.get(place.dataset.wrong) || "";
    if (place.textContent !== words) place.textContent = words;
    const field = document.getElementById(`f-${place.dataset.wrong}`);
    if (field) field.toggleAttribute("aria-invalid", Boolean(words));
  }
}

async function check() {
  const mine = ++asked;
  try {
    const answer = await fetch(form.dataset.check, {
      method: "POST", credentials: "same-origin", body: new URLSearchParams(new FormData(form)),
    });
    // Only the last question's answer is shown: an earlier one may come later.
    if (!answer.ok || mine !== asked) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const panel = document.getElementById("check");
    panel.replaceChildren(...document.importNode(fresh.body, true).childNodes);
    show(panel);
  } catch (error) {
    // Without a line nothing is said; the form is checked again when it is sent.
  }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(check, PAUSE);
}

function more(button) {
  const rows = document.querySelector(button.dataset.more).tBodies[0];
  const row = rows.rows[rows.rows.length - 1].cloneNode(true);
  const place = rows.rows.length;
  for (const one of row.querySelectorAll("[id], [data-wrong]")) {
    if (one.id) one.id = one.id.replace(/-\d+$/, `-${place}`);
    if (one.dataset.wrong) { one.dataset.wrong = one.dataset.wrong.replace(/-\d+$/, `-${place}`); one.textContent = ""; }
  }
  for (const one of row.querySelectorAll("[aria-label]")) one.setAttribute("aria-label", one.getAttribute("aria-label").replace(/\d+/, place + 1));
  for (const one of row.querySelectorAll("input, select")) one.value = "";
  rows.append(row);
  row.querySelector("input").focus();
}

form.addEventListener("input", soon);
form.addEventListener("change", soon);
for (const button of form.querySelectorAll("[data-more]")) {
  button.hidden = false;
  button.addEventListener("click", () => more(button));
}
document.getElementById("f-id_number").focus();
