// Making and changing what is on the page. Whatever comes from a recording goes in as text, never as HTML.

/** An element: `el("p", { class: "quiet" }, "some ", el("b", {}, "text"))`. Functions become listeners. */
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** An element of a drawing. */
function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Sets a text, if it is another than before: readers of the screen are not told what has not changed. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets an attribute, or takes it away. */
function setAttribute(element, name, value) {
  if (value === null || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/**
 * Makes the children of an element those of a list of items, keeping elements whose key stays: the focus stays with them.
 * `make(item)` gives a new element, `update(element, item)` what there is to change in it.
 */
function fill(parent, items, key, make, update = () => {}) {
  parent.known ??= new Map();
  const known = new Map();
  let before = null;
  for (const item of items) {
    const name = key(item);
    if (known.has(name)) continue;
    const element = parent.known.get(name) ?? make(item);
    update(element, item);
    known.set(name, element);
    const place = before ? before.nextSibling : parent.firstChild;
    if (place !== element) parent.insertBefore(element, place);
    before = element;
  }
  for (const [name, element] of parent.known) if (!known.has(name)) element.remove();
  parent.known = known;
}

/** The same for a list that is often rebuilt and holds nothing that can have the focus. */
function rebuild(parent, ...children) {
  parent.replaceChildren(...children.filter((child) => child !== null && child !== undefined));
}

/** A panel of the board: a heading, a count beside it, and room for what is in it. */
function panel(name, title) {
  const number = el("span", { class: "number" });
  const body = el("div", { class: "body", tabindex: 0, role: "group", "aria-label": title });
  const section = el("section", { class: `panel ${name}` }, el("h2", {}, title, number), body);
  return { section, number, body };
}

/** What stands in a panel with nothing in it. */
function nothing(text) {
  return el("p", { class: "nothing" }, text);
}
