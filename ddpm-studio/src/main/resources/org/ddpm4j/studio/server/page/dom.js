// Small helpers for the page's elements.

export const byId = (id) => document.getElementById(id);

/** Makes an element; attributes that are functions are listeners. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** Fills a select and keeps what was chosen, if it is still there. */
export function options(select, choices) {
  const chosen = select.value;
  select.replaceChildren(...choices.map(([value, text]) => make("option", { value }, text)));
  if (choices.some(([value]) => value === chosen)) select.value = chosen;
}

/** Fills a select with groups of choices; those without any are left out. */
export function groupedOptions(select, groups) {
  const chosen = select.value;
  const filled = groups.filter(([, choices]) => choices.length);
  select.replaceChildren(...filled.map(([label, choices]) =>
    make("optgroup", { label }, ...choices.map(([value, text]) => make("option", { value }, text)))));
  if (filled.some(([, choices]) => choices.some(([value]) => value === chosen))) select.value = chosen;
}

/** Shows a slider's value beside it. */
export function showValue(id, text = (value) => value) {
  const input = byId(id);
  const show = () => { byId(`${id}-out`).textContent = text(input.value); };
  input.addEventListener("input", show);
  show();
  return input;
}

/** A sentence about what goes on; problems stand out. */
export function say(id, sentence, problem = false) {
  const place = byId(id);
  place.textContent = sentence;
  place.classList.toggle("problem", problem);
}

export async function bitmapOf(base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  return createImageBitmap(new Blob([bytes], { type: "image/png" }));
}

/** Draws a bitmap, or its rows from one on, so that it fills the canvas. */
export function paint(canvas, bitmap, fromRow = 0, height = bitmap.height) {
  if (canvas.width !== bitmap.width || canvas.height !== height) {
    canvas.width = bitmap.width;
    canvas.height = height;
  }
  canvas.getContext("2d").drawImage(bitmap, 0, fromRow, bitmap.width, height, 0, 0, bitmap.width, height);
}

export function download(base64, name) {
  make("a", { href: `data:image/png;base64,${base64}`, download: name }).click();
}

/** The PNG of a canvas in Base64. */
export const pngOf = (canvas) => canvas.toDataURL("image/png").split(",")[1];

/** Images to choose from, in a strip. */
export function fillStrip(strip, images, chosen, choose) {
  strip.replaceChildren(...images.map((image) => {
    const canvas = make("canvas");
    paint(canvas, image.bitmap);
    const button = make("button", {
      type: "button", "aria-pressed": String(image === chosen), "aria-label": image.title, click: () => choose(image),
    }, canvas);
    return make("li", {}, button);
  }));
}

export async function readImageFile(input) {
  const bitmap = await createImageBitmap(input.files[0]);
  return { bitmap, title: input.files[0].name, cls: null };
}

/** Images a second: whole ones, or three digits where there are fewer than a hundred. */
export const counted = (number, noun, plural = `${noun}s`) => `${number} ${number === 1 ? noun : plural}`;

export const rate = (value) => String(value >= 100 ? Math.round(value) : Number(value.toPrecision(3)));

export function duration(seconds) {
  if (!(seconds >= 0)) return "–";
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, "0")} s`;
  return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")} min`;
}
