"use strict";

// Everything is on the page without this script; it adds sorting, filtering, enlarging, and addresses of
// filtered rows: #slopes?verdict=... shows the rows of a verdict.

const FILTERS = new Map(); // of each anchor: what sets its filters and shows the rows that are left

for (const table of document.querySelectorAll("table.sortable")) makeSortable(table);
for (const block of document.querySelectorAll(".filterable")) makeFilterable(block);
for (const image of document.querySelectorAll("figure img")) makeEnlargeable(image);
for (const link of document.querySelectorAll("a[data-counted]")) makeCounting(link);
markCurrentSection();
window.addEventListener("hashchange", goToAddress);
document.addEventListener("click", (event) => {
  // An address that is there already changes nothing, and yet its part may be folded.
  const link = event.target.closest("a[href^='#']");
  if (link && link.hash === location.hash) goToAddress();
});
goToAddress();

function makeSortable(table) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    if ("fixed" in head.dataset) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const next = { ascending: "descending", descending: null }[head.ariaSort];
      const order = next === undefined ? "ascending" : next;
      for (const other of heads) other.removeAttribute("aria-sort");
      if (order) head.ariaSort = order;
      const rows = order ? [...original].sort((a, b) => compare(a, b, column, order)) : original;
      body.append(...rows);
    });
  });
}

// Numbers by value and before words; what is missing comes last in either order.
function compare(first, second, column, order) {
  const [a, b] = [first, second].map((row) => key(row.cells[column]));
  if (a === "" || b === "") return (a === "") - (b === "");
  const numbers = [a, b].map(Number);
  const [isNumber, isToo] = numbers.map((number) => !Number.isNaN(number));
  const sign = order === "ascending" ? 1 : -1;
  if (isNumber && isToo) return sign * (numbers[0] - numbers[1]);
  if (isNumber !== isToo) return isNumber ? -1 : 1;
  return sign * a.localeCompare(b, "en", { numeric: true });
}

function key(cell) {
  return (cell.dataset.sort ?? cell.textContent).trim();
}

function makeFilterable(block) {
  const form = block.querySelector("form");
  const table = block.querySelector("table");
  const names = [...table.tHead.rows[0].cells].map((head) => head.textContent.trim());
  const rows = [...table.tBodies[0].rows];
  const anchor = block.closest("[id]").id;
  const text = (row, name) => (name ? row.cells[names.indexOf(name)] : row).textContent.trim();

  function show() {
    const wanted = Object.fromEntries(new FormData(form));
    const words = wanted.text.trim().toLowerCase();
    const chosen = Object.entries(wanted).filter(([name, value]) => value && names.includes(name));
    const counted = rowsCounted(wanted.counted);
    rows.forEach((row, place) => {
      row.hidden =
        !text(row, wanted.column).toLowerCase().includes(words) ||
        chosen.some(([name, value]) => text(row, name) !== value) ||
        (counted && !counted.has(place));
    });
    const shown = rows.filter((row) => !row.hidden).length;
    const all = shown === rows.length;
    const told = wanted.counted ? `: ${wanted.counted}` : "";
    form.querySelector("output").value = all ? `${shown} rows` : `${shown} of ${rows.length} rows${told}`;
    form.querySelector("[type=reset]").hidden = all;
  }

  function keepAddress() {
    const set = [...new FormData(form)].filter(([, value]) => value);
    const query = set.length ? `?${new URLSearchParams(set)}` : "";
    history.replaceState(null, "", `#${anchor}${query}`);
  }

  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => (show(), keepAddress()));
  // The fields are empty only after this event.
  form.addEventListener("reset", () => setTimeout(() => (show(), keepAddress())));
  FILTERS.set(anchor, (query) => {
    for (const field of form.querySelectorAll("input, select")) field.value = query.get(field.name) ?? "";
    open(block);
    show();
  });
}

// The places of the rows that a number of the counts is made of; nothing if there is no such number.
function rowsCounted(name) {
  const link = name && document.querySelector(`a[data-counted="${CSS.escape(name)}"]`);
  return link ? new Set(link.dataset.rows.split(" ").map(Number)) : null;
}

function makeCounting(link) {
  link.href += `?${new URLSearchParams({ counted: link.dataset.counted })}`;
}

// Unfold everything around an element.
function open(element) {
  for (let one = element.closest("details"); one; one = one.parentElement.closest("details")) one.open = true;
}

// Open and show what the address names, with its filters.
function goToAddress() {
  const [anchor, query] = location.hash.slice(1).split("?");
  const target = document.getElementById(decodeURIComponent(anchor));
  if (!target) return;
  open(target);
  const own = target.querySelector(":scope > details.fold");
  if (own) own.open = true;
  if (query) FILTERS.get(target.id)?.(new URLSearchParams(query));
  const table = query && target.querySelector(".filterable");
  (table || target).scrollIntoView();
}

function markCurrentSection() {
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const crossing = new Set();
  const seen = new IntersectionObserver(
    (entries) => {
      // A busy browser tells of several moves at once, the latest last.
      for (const entry of entries) {
        crossing.delete(entry.target);
        if (entry.isIntersecting) crossing.add(entry.target);
      }
      const link = links.get([...crossing].at(-1)?.id);
      if (!link) return;
      for (const other of links.values()) other.removeAttribute("aria-current");
      link.ariaCurrent = "true";
      const list = link.closest("ul");
      list.scrollLeft = link.offsetLeft - list.clientWidth / 2;
    },
    // A line below the contents: the section that crosses it is the current one.
    { rootMargin: "-20% 0px -79% 0px" },
  );
  for (const section of document.querySelectorAll("main > section")) seen.observe(section);
}

function makeEnlargeable(image) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "enlarge";
  button.setAttribute("aria-label", `Enlarge ${image.dataset.title}`);
  image.replaceWith(button);
  button.append(image);
  button.addEventListener("click", () => enlarge(image));
  // The picture is in the page once; the link borrows its address.
  const link = button.closest("figure").querySelector("[data-picture]");
  link.href = image.src;
  link.hidden = false;
}

function enlarge(image) {
  const viewer = document.getElementById("viewer");
  const shown = viewer.querySelector("img");
  shown.src = image.src;
  shown.width = image.getAttribute("width");
  shown.height = image.getAttribute("height");
  shown.alt = image.alt;
  viewer.querySelector("h2").textContent = image.dataset.title;
  setFullSize(viewer, false);
  viewer.showModal();
  viewer.querySelector(".size").focus();
}

function setFullSize(viewer, full) {
  viewer.querySelector(".size").ariaPressed = String(full);
  viewer.classList.toggle("full", full);
}

const viewer = document.getElementById("viewer");
const size = viewer.querySelector(".size");
size.addEventListener("click", () => setFullSize(viewer, size.ariaPressed !== "true"));
viewer.querySelector("img").addEventListener("click", () => size.click());
viewer.querySelector(".close").addEventListener("click", () => viewer.close());
viewer.addEventListener("click", (event) => {
  if (event.target === viewer) viewer.close();
});
