// Runs in the page; form says how it is read. Returns the faults.
const faults = [];
const root = document.documentElement;
const fault = (text) => faults.length < 20 && faults.push(text);
const brief = (el) => `<${el.tagName.toLowerCase()} class="${el.getAttribute("class") || ""}"> ${el.textContent.trim().slice(0, 40)}`;

// The page itself never scrolls sideways; tables do inside themselves, but not on paper. There the wide grid has pages of its own.
const wide = () => {
  if (root.scrollWidth <= root.clientWidth) return;
  const at = [...document.body.querySelectorAll("*")].filter((el) => el.getBoundingClientRect().right > root.clientWidth + 1 && (form.print || !el.closest(".scroll")));
  fault(`it is ${root.scrollWidth} wide on ${root.clientWidth}: ${at.slice(-3).map(brief).join("; ")}`);
};
const grid = form.print && document.querySelector(".coverage.wide");
if (grid) {
  const landscape = 1024;
  grid.style.width = landscape + "px";
  if (grid.scrollWidth > landscape) fault(`the grid is ${grid.scrollWidth} wide on paper of ${landscape}`);
  grid.style.display = "none";
}
wide();
if (grid) grid.removeAttribute("style");

// Text can be read: its size, and its contrast to what it stands on.
const rgb = (text) => (text.match(/[\d.]+/g) || []).map(Number);
const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
const ground = (el) => {
  for (; el; el = el.parentElement) {
    const c = rgb(getComputedStyle(el).backgroundColor);
    if (c.length === 3 || c[3] === 1) return c;
  }
  return [255, 255, 255];
};
const seen = new Set();
for (const el of document.body.querySelectorAll("*")) {
  const own = [...el.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!own || ["SCRIPT", "STYLE", "title", "desc"].includes(el.tagName) || !el.getClientRects().length) continue;
  const style = getComputedStyle(el);
  if (parseFloat(style.fontSize) < 11) fault(`text of ${style.fontSize}: ${brief(el)}`);
  const ink = rgb(el instanceof SVGElement ? style.fill : style.color), paper = ground(el.closest("svg") || el);
  const key = `${ink}|${paper}`;
  if (seen.has(key)) continue;
  seen.add(key);
  const c = contrast(ink, paper);
  if (c < 4.5) fault(`contrast ${c.toFixed(2)}: ${brief(el)}`);
}

for (const head of document.querySelectorAll(".heat tbody th")) {
  if (head.clientWidth < 30) { fault(`the head of a row is ${head.clientWidth} wide: ${brief(head)}`); break; }
}

// Names cannot break out, and nothing points nowhere.
if (document.title === "broken" || document.querySelector("main script, main img")) fault("a name broke out");
for (const a of document.querySelectorAll("a[href^='#']")) if (!document.getElementById(a.hash.slice(1))) fault(`${a.hash} is nowhere`);

// The script does what it says; without it there is no button.
const buttons = document.querySelectorAll("th button");
if (!form.script && buttons.length) fault("buttons without script");
if (form.script && !form.print) {
  for (const table of document.querySelectorAll("table.sort")) {
    const head = table.querySelector("th.num"), at = head.cellIndex, rows = table.tBodies[0].rows;
    if (rows.length < 2) continue;
    const column = () => [...rows].map((r) => parseFloat(r.cells[at].textContent.replace("−", "-"))).filter((v) => !isNaN(v));
    head.querySelector("button").click();
    const down = column();
    if (down.some((v, i) => i && v > down[i - 1]) || head.getAttribute("aria-sort") !== "descending") fault(`not sorted: ${down.slice(0, 5)}`);
    head.querySelector("button").click();
    const up = column();
    if (up.some((v, i) => i && v < up[i - 1]) || head.getAttribute("aria-sort") !== "ascending") fault(`not sorted: ${up.slice(0, 5)}`);
    table.querySelector("thead button").click();
  }
  const link = document.querySelector(".results tbody .spark a");
  if (link && link.getClientRects().length) {
    link.focus();
    if (!document.querySelector("#fig-curves .on") || !document.querySelector(".told").textContent) fault("focus on a row does not point at its curve");
    link.click();
    if (!document.querySelector("#fig-curves .pin")) fault("a click does not pin a curve");
    document.querySelector(".reset").click();
    if (document.querySelector(".pin")) fault("curves stay pinned");
    link.blur();
    document.body.dispatchEvent(new Event("pointerover", { bubbles: true }));
  }
  const box = document.querySelector(".legend input");
  if (box) {
    const line = document.querySelector(`.marks .${box.id.slice(5)}`);
    box.click();
    if (line && getComputedStyle(line).display !== "none") fault("a choice cannot be hidden");
    box.click();
  }
}
window.scrollTo(0, 0);
return faults;
