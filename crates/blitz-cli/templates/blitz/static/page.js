// What is wider than the page scrolls in a box of its own. The box can be reached with the keyboard
// as long as it scrolls, under the name of its cell, or of the heading above it.
(() => {
  const headings = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")];
  const name = (box) => {
    const cell = box.closest("[data-label]");
    if (cell) return cell.dataset.label;
    const above = (heading) =>
      heading.compareDocumentPosition(box) & Node.DOCUMENT_POSITION_FOLLOWING;
    return headings.filter(above).pop()?.textContent ?? document.title;
  };
  for (const wide of document.querySelectorAll("table, math[display=block]")) {
    const box = document.createElement("div");
    box.className = "scrolls";
    wide.replaceWith(box);
    box.append(wide);
  }
  const boxes = document.querySelectorAll("pre, .scrolls");
  const update = () => {
    for (const box of boxes) {
      if (box.scrollWidth > box.clientWidth) {
        box.tabIndex = 0;
        box.setAttribute("role", "group");
        box.setAttribute("aria-label", name(box));
      } else {
        for (const attribute of ["tabindex", "role", "aria-label"]) box.removeAttribute(attribute);
      }
    }
  };
  addEventListener("resize", update);
  update();
})();
