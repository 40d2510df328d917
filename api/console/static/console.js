// What makes the pages quicker to use. Everything works without it.
import { watch } from "./live.js";

document.documentElement.classList.add("js");

// A choice that filters at once, where there would be a button without a script.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.submit();
});

document.addEventListener("click", (event) => {
  // The page before this one is the one that the reader came from.
  const back = event.target.closest("[data-back]");
  if (back && document.referrer.split("?")[0] === location.href.split("?")[0] && history.length > 1) {
    event.preventDefault();
    history.back();
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) {
    event.preventDefault();
    return;
  }
  // Sent once: a second click on a slow line asks for nothing twice.
  if (form.method === "post") {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
    setTimeout(() => { delete form.dataset.sent; }, 8000);
  }
});

// A row of a list or a point of a chart opens by a click anywhere on it; its link is what the keyboard uses.
document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-open]");
  if (row && !event.target.closest("a, button, input, summary, label") && !String(getSelection())) {
    location.href = row.dataset.open;
  }
});

watch();
