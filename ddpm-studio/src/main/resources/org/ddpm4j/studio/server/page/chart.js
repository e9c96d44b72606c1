// Line charts as SVG.

const NS = "http://www.w3.org/2000/svg";
const LEFT = 52, RIGHT = 10, TOP = 8, BOTTOM = 26;
const HEIGHTS = { small: 140, low: 170 };
const USUAL_HEIGHT = 260;
const LEAST_WIDTH = 200;
/** Between two numbers below the chart. */
const PIXELS_PER_TICK = 60;
/** Colours; curves beyond them have the same again with dashes. */
const COLOURS = 9;

function svg(tag, attributes, ...children) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function ticks(low, high, most) {
  const raw = (high - low) / most || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= raw);
  const all = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-9; v += step) all.push(v);
  return all;
}

/** Of logarithms: powers of ten and, where these are few, their doubles and halves. */
function logTicks(low, high) {
  const factors = high - low > 3 ? [1] : [1, 2, 5];
  const all = [];
  for (let e = Math.floor(low); e <= high; e++) all.push(...factors.map((f) => e + Math.log10(f)));
  return all.filter((v) => v >= low && v <= high);
}

const text = (v) => (Math.abs(v) >= 1e4 ? `${Math.round(v / 1e3)}k` : String(Number(v.toPrecision(3))));

/** Where the pointer is on each chart, so that a chart that is drawn anew keeps its figures. */
const pointers = new WeakMap();

const line = (i) => `s${(i % COLOURS) + 1}${i >= COLOURS ? " dashed" : ""}`;

/** What each chart shows, to be drawn anew where its place becomes wider or narrower. */
const drawn = new WeakMap();

const resizing = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const chart = drawn.get(target);
    // One that is hidden or gone has no width.
    if (target.clientWidth && chart.width !== widthIn(target)) lineChart(target, chart.curves, chart.options);
  }
});

function widthIn(place) {
  const { paddingLeft, paddingRight } = getComputedStyle(place);
  return Math.max(LEAST_WIDTH, Math.floor(place.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight)));
}

/**
 * Draws curves as wide as their place, so that letters are as large on a telephone as anywhere: each has a name and points x, y; nulls are left out. The legend says the values at
 * the pointer, or else at the cursor. Options: label (for screen readers), log (of y), cursor (an
 * x), bold (a name), yRange.
 */
export function lineChart(place, curves, options) {
  const { label, log = false, cursor = null, bold = null, yRange = null } = options;
  const W = widthIn(place);
  const H = HEIGHTS[Object.keys(HEIGHTS).find((name) => place.classList.contains(name))] ?? USUAL_HEIGHT;
  drawn.set(place, { curves, options, width: W });
  resizing.observe(place);
  const f = log ? (y) => Math.log10(y) : (y) => y;
  const shown = curves.map((curve) => ({
    ...curve,
    points: curve.x.map((x, i) => [x, curve.y[i]]).filter(([, y]) => y != null && (!log || y > 0)).map(([x, y]) => [x, f(y)]),
  }));
  const xs = shown.flatMap((c) => c.points.map((p) => p[0]));
  const ys = shown.flatMap((c) => c.points.map((p) => p[1]));
  if (!xs.length) {
    const nothing = document.createElement("p");
    nothing.className = "note";
    nothing.textContent = "There is no curve to show yet.";
    place.replaceChildren(nothing);
    return;
  }
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  let [y0, y1] = yRange ?? [Math.min(...ys), Math.max(...ys)];
  if (y0 === y1) { y0 -= 0.5; y1 += 0.5; }
  const px = (x) => LEFT + ((x - x0) / (x1 - x0 || 1)) * (W - LEFT - RIGHT);
  const py = (y) => TOP + (1 - (Math.min(y1, Math.max(y0, y)) - y0) / (y1 - y0)) * (H - TOP - BOTTOM);
  const picture = svg("svg", { viewBox: `0 0 ${W} ${H}`, width: W, height: H, role: "img", "aria-label": label });
  for (const y of log ? logTicks(y0, y1) : ticks(y0, y1, 5)) {
    picture.append(
      svg("line", { class: "grid", x1: LEFT, x2: W - RIGHT, y1: py(y), y2: py(y) }),
      svg("text", { x: LEFT - 8, y: py(y) + 4, "text-anchor": "end" }, text(log ? 10 ** y : y)));
  }
  for (const x of ticks(x0, x1, Math.min(6, W / PIXELS_PER_TICK))) {
    picture.append(svg("text", { x: px(x), y: H - 8, "text-anchor": "middle" }, text(x)));
  }
  const order = shown.map((curve, i) => [curve, i]).sort(([a], [b]) => (a.name === bold) - (b.name === bold));
  order.forEach(([curve, i]) => {
    const d = curve.points.map(([x, y], k) => `${k ? "L" : "M"}${px(x).toFixed(1)} ${py(y).toFixed(1)}`).join("");
    const dim = bold !== null && curve.name !== bold ? " dim" : "";
    picture.append(svg("path", { d, class: `curve ${line(i)}${dim}` }));
  });
  const cursorLine = svg("line", { class: "cursor", y1: TOP, y2: H - BOTTOM, visibility: "hidden" });
  picture.append(cursorLine);
  const legend = document.createElement("ul");
  legend.className = "legend";
  const values = shown.map((curve, i) => {
    const item = document.createElement("li");
    const value = document.createElement("span");
    value.className = "at";
    if (curve.name === bold) item.className = "bold";
    item.append(
      svg("svg", { viewBox: "0 0 18 4", "aria-hidden": "true" },
        svg("line", { x1: 0, x2: 18, y1: 2, y2: 2, "stroke-width": 3, class: line(i) })),
      curve.name, value);
    legend.append(item);
    return value;
  });
  const point = () => {
    const x = pointers.get(place) ?? cursor;
    cursorLine.setAttribute("visibility", x === null ? "hidden" : "visible");
    if (x !== null) {
      const at = px(Math.min(x1, Math.max(x0, x)));
      cursorLine.setAttribute("x1", at);
      cursorLine.setAttribute("x2", at);
    }
    shown.forEach((curve, i) => {
      const nearest = x === null ? null : nearestTo(curve.points, x);
      values[i].textContent = nearest ? text(log ? 10 ** nearest[1] : nearest[1]) : "";
    });
  };
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * W;
    pointers.set(place, x0 + ((x - LEFT) / (W - LEFT - RIGHT)) * (x1 - x0));
    point();
  });
  picture.addEventListener("pointerleave", () => { pointers.delete(place); point(); });
  point();
  place.replaceChildren(picture, legend);
}

function nearestTo(points, x) {
  let best = null;
  for (const p of points) if (!best || Math.abs(p[0] - x) < Math.abs(best[0] - x)) best = p;
  return best;
}
