"use strict";

// Everything is on the page without this script; it adds sorting, filtering and enlarging.

for (const table of document.querySelectorAll("table.sortable")) makeSortable(table);
for (const block of document.querySelectorAll(".filterable")) makeFilterable(block);
for (const image of document.querySelectorAll("figure img")) makeEnlargeable(image);

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
  const text = (row, name) => (name ? row.cells[names.indexOf(name)] : row).textContent.trim();
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    const wanted = form.elements.text.value.trim().toLowerCase();
    const chosen = [...form.querySelectorAll("select[data-column]")].filter((one) => one.value);
    for (const row of rows) {
      const found = text(row, form.elements.column.value).toLowerCase().includes(wanted);
      row.hidden = !found || chosen.some((one) => text(row, one.dataset.column) !== one.value);
    }
    const shown = rows.filter((row) => !row.hidden).length;
    form.querySelector("output").value = shown === rows.length ? `${shown} rows` : `${shown} of ${rows.length} rows`;
  });
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
