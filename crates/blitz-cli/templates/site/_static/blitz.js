// Rust Blitz: which language of code is shown, the way to the other languages, and a filter for tables.
"use strict";

const SHOW = "blitz-show";

function show(which) {
  document.documentElement.dataset.blitzShow = which;
  for (const button of document.querySelectorAll("#blitz-languages button")) {
    button.setAttribute("aria-pressed", String(button.dataset.show === which));
  }
}

function remembered() {
  try {
    return localStorage.getItem(SHOW) ?? "both";
  } catch {
    return "both";
  }
}

function remember(which) {
  try {
    localStorage.setItem(SHOW, which);
  } catch {
    // A browser that keeps nothing still switches.
  }
}

/** The anchor of the section that is being read, with `#`. */
function currentSection() {
  const top = document.querySelector(".bd-header")?.getBoundingClientRect().bottom ?? 0;
  const sections = [...document.querySelectorAll(".bd-article section[id]")];
  const begun = sections.filter((it) => it.getBoundingClientRect().top <= top + 80);
  return begun.length > 1 ? `#${begun.at(-1).id}` : "";
}

/** Rows of tables that hold all words of the field; headings of empty tables go with them. */
function filter(field) {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of document.querySelectorAll(".bd-article tbody tr")) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  }
  for (const table of document.querySelectorAll(".bd-article table")) {
    table.closest(".pst-scrollable-table-container, table").hidden =
      !table.querySelector("tbody tr:not([hidden])");
  }
}

/** What scrolls sideways can be reached and scrolled by the keyboard. */
function makeReachable() {
  const boxes =
    ".cell_output .output, .cell_output pre, .highlight pre, .blitz-scroll, math[display=block]";
  for (const box of document.querySelectorAll(boxes)) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else if (box.tabIndex === 0 && !box.matches("a, button")) box.removeAttribute("tabindex");
  }
}

/** Saves what a link leads to, on a page that was opened as a file: the browser would show it. What is to
 * be saved lies beside it as a script, which such a page may read. */
function save(event) {
  const link = event.currentTarget;
  event.preventDefault();
  window.blitzSave = (base64) => {
    const bytes = Uint8Array.from(atob(base64), (it) => it.charCodeAt(0));
    const saved = document.createElement("a");
    saved.href = URL.createObjectURL(new Blob([bytes]));
    saved.download = decodeURIComponent(link.pathname.split("/").at(-1));
    saved.click();
  };
  const script = document.createElement("script");
  script.src = `${link.href}.js`;
  // Without a script beside it, it is of a kind that no browser shows.
  script.addEventListener("error", () => location.assign(link.href));
  document.head.append(script);
}

// A page that was opened as a file may not read other files: results of a search have no excerpts there.
if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}

// Who speaks to the browser says what the button shows: that must be its name.
for (const button of document.querySelectorAll(".search-button__button")) {
  button.setAttribute("aria-label", button.textContent.replace(/\s+/g, " ").trim());
}

show(remembered());
// Chosen in another tab.
addEventListener("storage", (event) => {
  if (event.key === SHOW) show(remembered());
});
for (const button of document.querySelectorAll("#blitz-languages button")) {
  button.addEventListener("click", () => {
    remember(button.dataset.show);
    show(button.dataset.show);
    makeReachable();
  });
}
for (const link of document.querySelectorAll("a.blitz-language")) {
  link.addEventListener("click", () => (link.hash = currentSection()));
}
if (location.protocol === "file:") {
  for (const link of document.querySelectorAll("a[download]")) link.addEventListener("click", save);
}
for (const field of document.querySelectorAll("#blitz-filter")) {
  field.addEventListener("input", () => filter(field));
}
makeReachable();
addEventListener("resize", makeReachable);
