// What the tests ask of a page. It is put into the page, and gives `blitzAudit` to them.
"use strict";

window.blitzAudit = (() => {
  /** Where an element is, for people. */
  function selector(element) {
    const parts = [];
    for (let at = element; at && at !== document.body; at = at.parentElement) {
      if (at.id) {
        parts.unshift(`#${at.id}`);
        break;
      }
      const name = at.classList.length ? `.${at.classList[0]}` : "";
      const alike = [...(at.parentElement?.children ?? [])].filter((it) => it.localName === at.localName);
      const place = alike.length > 1 ? `:nth-of-type(${alike.indexOf(at) + 1})` : "";
      parts.unshift(`${at.localName}${name}${place}`);
    }
    return parts.slice(-4).join(" > ");
  }

  /** What decides how an element's text looks, besides what its parent is. */
  function look(element) {
    const style = getComputedStyle(element);
    return [
      element.localName, style.color, style.backgroundColor, style.backgroundImage, style.opacity,
      style.fontSize, style.fontWeight, style.position, style.display, style.visibility,
      style.textDecorationLine,
    ].join();
  }

  /** Numbers elements: those with one number look alike, with all that is around them. */
  function numbering() {
    const numbers = new Map();
    const known = new Map();
    const number = (element) => {
      if (!element) return 0;
      if (!known.has(element)) {
        const key = `${number(element.parentElement)},${look(element)}`;
        if (!numbers.has(key)) numbers.set(key, numbers.size + 1);
        known.set(element, numbers.get(key));
      }
      return known.get(element);
    };
    return number;
  }

  /** The first of all elements with text that look alike, with all that is around them. A page has
   * thousands of coloured words and some hundred looks; to compare each with its ground takes minutes. */
  function looks() {
    const number = numbering();
    const first = new Map();
    const hasText = (element) =>
      [...element.childNodes].some((it) => it.nodeType === Node.TEXT_NODE && it.data.trim());
    for (const element of document.body.querySelectorAll("*")) {
      if (!hasText(element) || !element.checkVisibility()) continue;
      const key = number(element);
      if (!first.has(key)) first.set(key, element);
    }
    return [...first.values()];
  }

  /** Leaves of the coloured words of code one of each kind: the others become plain text. Words are of one
   * kind that look alike now, and have the same names, classes and styles all the way up, by which they do
   * so in other conditions. A page of thousands of elements takes seconds each time that it is asked what
   * lies over what. */
  function thin() {
    const number = numbering();
    const chains = new Map();
    const chain = (element) => {
      if (!element) return "";
      if (!chains.has(element)) {
        const { localName, className, style } = element;
        chains.set(element, `${chain(element.parentElement)} ${localName}.${className}[${style.cssText}]`);
      }
      return chains.get(element);
    };
    const saysMore = ({ name }) => name !== "class" && name !== "style";
    const words = [...document.querySelectorAll(":is(pre, code) span:not(:has(*))")];
    const kinds = words.map((word) => `${chain(word)} ${number(word)}`);
    const seen = new Set();
    words.forEach((word, index) => {
      const isKept = !seen.has(kinds[index]) || [...word.attributes].some(saysMore);
      if (!isKept) word.replaceWith(...word.childNodes);
      seen.add(kinds[index]);
    });
    document.body.normalize();
  }

  /** What axe-core finds by `rules` in `where`: the rule, where, and what it says. */
  async function axeFindings(where, rules) {
    const options = { resultTypes: ["violations"], preload: false, ...rules };
    const { violations } = await axe.run(where, options);
    const nodes = violations.flatMap((it) => it.nodes.map((node) => [it, node]));
    return nodes.map(([violation, node]) => {
      const check = [...node.any, ...node.all, ...node.none][0];
      return [violation.id, node.target.flat().join(" "), check?.message ?? violation.help];
    });
  }

  /** What is wrong by rules that colours decide on. */
  function colours(rules) {
    return axeFindings({ include: looks() }, { runOnly: rules });
  }

  /** What is wrong by all other rules. */
  function others(tags, colourRules, experiments) {
    const on = experiments.map((rule) => [rule, { enabled: true }]);
    const off = colourRules.map((rule) => [rule, { enabled: false }]);
    return axeFindings(document, { runOnly: tags, rules: Object.fromEntries([...on, ...off]) });
  }

  /** What axe-core has no rule for, or no strict one. */
  function structure() {
    const findings = [];
    const found = (rule, element, what) => findings.push([rule, selector(element), what]);
    const titles = [...document.querySelectorAll("h1")].filter((it) => it.checkVisibility());
    if (titles.length !== 1) found("one-title", document.body, `${titles.length} headings are h1`);
    for (const image of document.images) {
      const text = image.getAttribute("alt");
      const isSaid = text !== null && !/without a description|no description/i.test(text);
      if (!isSaid) found("words-for-pictures", image, `its words are ${JSON.stringify(text)}`);
      if (!image.complete || image.naturalWidth === 0) found("pictures", image, "it does not load");
    }
    for (const table of document.querySelectorAll("main table")) {
      if (!table.querySelector("th")) found("table-headers", table, "no cell is a heading");
    }
    const ids = new Set();
    for (const element of document.querySelectorAll("[id]")) {
      if (ids.has(element.id)) found("one-id", element, `the id ${element.id} is there twice`);
      ids.add(element.id);
    }
    return findings;
  }

  /** Whether the language that the page names is the one that its prose is in. */
  function language() {
    // Code has no language, and what has another one says so.
    const apart = "pre, code, script, style, math, table, dialog, [lang]";
    const copy = (document.querySelector("article, main") ?? document.body).cloneNode(true);
    for (const code of copy.querySelectorAll(apart)) code.remove();
    const letters = copy.textContent.match(/\p{Letter}/gu) ?? [];
    const chinese = letters.filter((it) => /\p{Script=Han}/u.test(it)).length;
    const named = document.documentElement.lang;
    // Very short pages are left to the rules for `lang` itself.
    const isRight = letters.length < 200 || chinese / letters.length > 0.25 === named.startsWith("zh");
    const share = `${chinese} of ${letters.length} letters are Chinese`;
    return isRight ? [] : [["language", "html", `it says lang="${named}", and ${share}`]];
  }

  /** What makes the page itself scroll sideways. */
  function sideways() {
    const root = document.scrollingElement;
    if (root.scrollWidth <= root.clientWidth) return [];
    const scrolls = (element) => {
      for (let at = element.parentElement; at && at !== document.body; at = at.parentElement) {
        if (getComputedStyle(at).overflowX !== "visible") return true;
      }
      return false;
    };
    const wide = [...document.body.querySelectorAll("*")].filter(
      (it) => it.getBoundingClientRect().right > root.clientWidth + 1 && it.checkVisibility() && !scrolls(it),
    );
    const innermost = wide.filter((it) => !wide.some((other) => it !== other && it.contains(other)));
    const what = `the page is ${root.scrollWidth} pixels wide in a window of ${root.clientWidth}`;
    return (innermost.length ? innermost : [root]).map((it) => ["sideways", selector(it), what]);
  }

  /** What moves although the reader has asked for less motion. */
  function motion() {
    const moving = document.getAnimations().filter((it) => it.playState === "running");
    return moving.map((it) => ["motion", selector(it.effect?.target ?? document.body), "it moves"]);
  }

  /** Whether the page is light or dark as the system is, as soon as it has noticed. */
  async function becomes(scheme) {
    const theme = () => document.documentElement.dataset.theme ?? scheme;
    for (let frame = 0; frame < 60 && theme() !== scheme; frame += 1) {
      await new Promise((resume) => requestAnimationFrame(resume));
    }
    return theme() === scheme;
  }

  /** What can be reached with the Tab key, and whether it is in sight. */
  function reachable() {
    const candidates = "a[href], button, input, select, textarea, summary, [tabindex]";
    return [...document.querySelectorAll(candidates)].filter((it) => {
      const isOpen = it.closest("dialog:not([open]), [inert]") === null;
      return isOpen && it.tabIndex >= 0 && !it.disabled && it.type !== "hidden" &&
        it.checkVisibility({ visibilityProperty: true });
    });
  }

  /** How an element shows that it has the focus. */
  function mark(element) {
    const style = getComputedStyle(element);
    return [
      style.outlineStyle === "none" ? "" : `${style.outlineWidth} ${style.outlineColor}`,
      style.boxShadow, style.borderColor, style.backgroundColor, style.textDecorationLine, style.color,
    ].join(" | ");
  }

  return {
    thin, colours, others, structure, language, sideways, motion, becomes, reachable, mark, selector,
  };
})();
