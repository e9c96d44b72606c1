// Editing an image: inpainting with a painted mask, variations, blends of two, and the way to its noise and back.
import { byId, fillStrip, make, options, paint, pngOf, readImageFile, say, showValue } from "./dom.js";
import { classChoices, images, models, nameOfModel } from "./gallery.js";
import { drawInto } from "./draw.js";

const WORDS = { inpaint: "Paint in", "image-to-image": "Vary", interpolate: "Blend", invert: "Invert" };
const HINTS = {
  inpaint: "Paint over what should be drawn anew.",
  "image-to-image": "The more strength, the less is left of the image.",
  interpolate: "Choose the other image, blend, and move the slider.",
  invert: "Finds the noise of which the model draws this image, and draws it again.",
};
const SCALE = 12;

let source = null;
let mask = null;
let pen = { x: 0, y: 0, shown: false };
let running = null;
let between = [];

const kind = () => document.querySelector("input[name=edit-kind]:checked").value;

export function begin() {
  for (const id of ["edit-brush", "edit-strength", "edit-steps"]) showValue(id);
  document.querySelectorAll("input[name=edit-kind]").forEach((radio) => radio.addEventListener("change", showKind));
  byId("edit-form").addEventListener("submit", (event) => { event.preventDefault(); edit(); });
  byId("edit-stop").addEventListener("click", () => running?.abort());
  byId("edit-clear").addEventListener("click", () => { clearMask(); show(); });
  byId("edit-between-at").addEventListener("input", showBetween);
  byId("edit-file").addEventListener("change", async () => {
    try {
      if (byId("edit-file").files.length) choose(await readImageFile(byId("edit-file")));
    } catch {
      say("edit-status", "This file is no image that the browser can read.", true);
    }
  });
  const canvas = byId("edit-canvas");
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); stroke(event); });
  canvas.addEventListener("pointermove", (event) => { if (event.buttons) stroke(event); });
  canvas.addEventListener("keydown", key);
  document.addEventListener("edit-image", (event) => choose(event.detail));
  document.addEventListener("gallery", showStrip);
  document.addEventListener("model", showModel);
  showKind();
}

function showModel() {
  const model = models.chosen;
  byId("edit-model").textContent = `With ${nameOfModel(model)},`;
  options(byId("edit-class"), classChoices(model, "the image's own"));
  byId("edit-class").disabled = !model.classes.length;
  if (mask && (mask.width !== model.width || mask.height !== model.height)) choose(source);
}

export function enter() {
  if (!source && images.length) choose(images[0]);
  showStrip();
}

function showStrip() {
  fillStrip(byId("edit-strip"), images, source, choose);
  options(byId("edit-to"), images.map((image) => [image.id, nameOf(image)]));
}

const nameOf = (image) => (image.command ? `${image.className ?? "Image"}, seed ${image.seed}` : image.name ?? image.title);

function choose(image) {
  source = image;
  const model = models.chosen;
  mask = make("canvas", { width: model.width, height: model.height });
  mask.getContext("2d", { willReadFrequently: true });
  clearMask();
  byId("edit-empty").hidden = true;
  byId("edit-desk").hidden = false;
  showStrip();
  show();
}

function clearMask() {
  if (!mask) return;
  const context = mask.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, mask.width, mask.height);
}

function showKind() {
  const chosen = kind();
  byId("edit-go").textContent = WORDS[chosen];
  byId("edit-hint").textContent = HINTS[chosen];
  byId("edit-brush-row").hidden = byId("edit-clear").hidden = chosen !== "inpaint";
  byId("edit-strength-row").hidden = chosen !== "image-to-image";
  byId("edit-to-row").hidden = chosen !== "interpolate";
  byId("edit-count-row").hidden = chosen === "interpolate" || chosen === "invert";
  byId("edit-seed-row").hidden = chosen === "invert";
  byId("edit-blend").hidden = true;
  byId("edit-tiles").hidden = false;
  show();
}

/** The image as the model would see it. */
function fitted(bitmap) {
  const canvas = make("canvas", { width: mask.width, height: mask.height });
  const scale = Math.max(mask.width / bitmap.width, mask.height / bitmap.height);
  canvas.getContext("2d").drawImage(bitmap,
    (mask.width - bitmap.width * scale) / 2, (mask.height - bitmap.height * scale) / 2, bitmap.width * scale, bitmap.height * scale);
  return canvas;
}

function show() {
  if (!source) return;
  const canvas = byId("edit-canvas");
  canvas.width = mask.width * SCALE;
  canvas.height = mask.height * SCALE;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(fitted(source.bitmap), 0, 0, canvas.width, canvas.height);
  if (kind() !== "inpaint") return;
  const pixels = mask.getContext("2d").getImageData(0, 0, mask.width, mask.height).data;
  context.fillStyle = "rgb(255 90 54 / .72)";
  for (let i = 0; i < mask.width * mask.height; i++) {
    if (pixels[4 * i] < 128) context.fillRect((i % mask.width) * SCALE, Math.floor(i / mask.width) * SCALE, SCALE, SCALE);
  }
  if (pen.shown) {
    const size = Number(byId("edit-brush").value);
    context.strokeStyle = "#1f5fd0";
    context.lineWidth = 3;
    context.strokeRect((pen.x - size / 2) * SCALE, (pen.y - size / 2) * SCALE, size * SCALE, size * SCALE);
  }
}

function dab(x, y) {
  const size = Number(byId("edit-brush").value);
  const context = mask.getContext("2d");
  context.fillStyle = "#000";
  context.fillRect(Math.round(x - size / 2), Math.round(y - size / 2), size, size);
}

function stroke(event) {
  if (kind() !== "inpaint" || !source) return;
  const box = event.currentTarget.getBoundingClientRect();
  pen = { x: (event.clientX - box.left) / box.width * mask.width, y: (event.clientY - box.top) / box.height * mask.height, shown: false };
  dab(pen.x, pen.y);
  show();
}

function key(event) {
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (kind() !== "inpaint" || !source || (event.key !== " " && !(event.key in moves))) return;
  event.preventDefault();
  if (!pen.shown) pen = { x: mask.width / 2, y: mask.height / 2, shown: true };
  if (event.key === " ") dab(pen.x, pen.y);
  else {
    pen.x = Math.min(mask.width, Math.max(0, pen.x + moves[event.key][0]));
    pen.y = Math.min(mask.height, Math.max(0, pen.y + moves[event.key][1]));
  }
  show();
}

async function edit() {
  const chosen = kind();
  if (!source) {
    say("edit-status", "Choose an image first.", true);
    return;
  }
  const body = {
    model: models.chosen.id, kind: chosen, image: pngOf(fitted(source.bitmap)), seed: Number(byId("edit-seed").value),
    count: Number(byId("edit-count").value), steps: Math.min(models.chosen.timesteps, Number(byId("edit-steps").value)), previews: 16,
  };
  const cls = byId("edit-class").value || source.className;
  if (cls && models.chosen.classes.length) body.class = cls;
  if (chosen === "inpaint") body.mask = pngOf(mask);
  if (chosen === "image-to-image") Object.assign(body, { strength: Number(byId("edit-strength").value), sampler: "ddim" });
  if (chosen === "interpolate") {
    const other = images.find((image) => image.id === byId("edit-to").value);
    if (!other) {
      say("edit-status", "Blending takes another image; draw one first.", true);
      return;
    }
    Object.assign(body, { to: pngOf(fitted(other.bitmap)), count: 9 });
  }
  if (chosen === "invert") delete body.count;
  const given = fitted(source.bitmap);
  running?.abort();
  running = new AbortController();
  byId("edit-stop").hidden = false;
  const tiles = await drawInto({
    list: byId("edit-tiles"), path: "/v1/edits", body, status: "edit-status", progress: "edit-progress",
    signal: running.signal, describe: (image) => nameOfResult(chosen, image.number),
  });
  byId("edit-stop").hidden = true;
  if (!tiles) return;
  if (chosen === "interpolate") {
    showWay("Between", tiles.map((tile, i) => ({ canvas: tile.bitmap, text: `${Math.round(i / 8 * 100)} %` })), 4);
  } else if (chosen === "invert") {
    const [, again] = tiles;
    const half = again.steps / 2;
    showWay("The way", [
      { canvas: given, text: "the image" },
      ...again.frames.map((frame) => ({ canvas: frame.canvas,
        text: frame.step <= half ? `${frame.step} of ${half} steps to the noise` : `${frame.step - half} of ${half} steps back` })),
      { canvas: again.bitmap, text: "drawn again" },
    ], again.frames.filter((frame) => frame.step <= half).length);
    say("edit-status", `Drawn again with an error of ${difference(given, again.bitmap).toFixed(1)} of 255 levels.`);
  }
}

function nameOfResult(chosen, number) {
  if (chosen === "interpolate") return ["Blend", number + 1];
  if (chosen === "invert") return [number ? "Drawn again" : "Its noise", ""];
  return ["Result", number + 1];
}

/** Images that a slider goes through. */
function showWay(label, moments, first) {
  between = moments;
  byId("edit-between-label").textContent = label;
  const slider = byId("edit-between-at");
  slider.max = moments.length - 1;
  slider.value = first;
  byId("edit-blend").hidden = false;
  showBetween();
}

function showBetween() {
  const moment = between[Number(byId("edit-between-at").value)];
  if (!moment) return;
  paint(byId("edit-between"), moment.canvas);
  byId("edit-between-out").textContent = moment.text;
}

/** The root of the mean squared difference of two pictures. */
function difference(one, other) {
  const levels = [one, other].map((picture) => {
    const canvas = make("canvas", { width: mask.width, height: mask.height });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(picture, 0, 0);
    return context.getImageData(0, 0, mask.width, mask.height).data;
  });
  let sum = 0;
  for (let i = 0; i < levels[0].length; i++) if (i % 4 !== 3) sum += (levels[0][i] - levels[1][i]) ** 2;
  return Math.sqrt(sum / (levels[0].length * 0.75));
}
