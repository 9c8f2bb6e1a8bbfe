"use strict";
// Without these lines nothing is missing: they sort tables, and point at the curves of a row.
const value = (row, i) => row.cells[i].textContent.trim().replace(/−/g, "-").replace(/[,%]/g, "");
const compare = (a, b) => {
  const x = Number(a), y = Number(b);
  if (a === "–" || b === "–") return (a === "–") - (b === "–");
  return isNaN(x) || isNaN(y) ? a.localeCompare(b, "en", { numeric: true }) : x - y;
};
for (const table of document.querySelectorAll("table.sort")) {
  const heads = [...table.tHead.rows[0].cells].filter((th) => !th.classList.contains("spark"));
  heads.forEach((th, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...th.childNodes);
    th.append(button);
    button.addEventListener("click", () => {
      const was = th.getAttribute("aria-sort");
      const down = was ? was === "ascending" : th.classList.contains("num");
      heads.forEach((h) => h.removeAttribute("aria-sort"));
      th.setAttribute("aria-sort", down ? "descending" : "ascending");
      table.classList.add("sorted");
      const rows = [...table.tBodies[0].rows].map((row) => [value(row, i), row]);
      const gone = (v) => v === "–";
      rows.sort(([a], [b]) => (gone(a) || gone(b) || !down ? compare(a, b) : compare(b, a)));
      table.tBodies[0].append(...rows.map(([, row]) => row));
    });
  });
}
const curves = (id) => [..."cf"].map((p) => document.getElementById(p + id)).filter(Boolean);
const rows = (id) => document.querySelectorAll(`[data-c="${id}"]`);
const told = document.querySelector(".told");
const each = (name, f) => document.querySelectorAll("." + name).forEach(f);
const tell = () => {
  const names = [...document.querySelectorAll("#fig-curves .on, #fig-curves .pin")].map((g) => g.firstChild.textContent);
  if (told) told.textContent = names.join(" · ");
};
const idOf = (target) => {
  const at = target.closest ? target.closest("[data-c], .marks .curve[id]") : null;
  return at ? at.dataset.c || at.id.slice(1) : null;
};
const point = (e) => {
  each("on", (el) => el.classList.remove("on"));
  const id = idOf(e.target);
  if (id) [...curves(id), ...rows(id)].forEach((el) => el.classList.add("on"));
  tell();
};
document.addEventListener("pointerover", point);
document.addEventListener("focusin", point);
document.addEventListener("click", (e) => {
  if (e.target.closest(".reset")) each("pin", (el) => el.classList.remove("pin"));
  const link = e.target.closest(".spark a, .marks .curve[id]");
  if (link) {
    e.preventDefault();
    const id = idOf(link);
    [...curves(id), ...rows(id)].forEach((el) => el.classList.toggle("pin"));
  }
  tell();
});
