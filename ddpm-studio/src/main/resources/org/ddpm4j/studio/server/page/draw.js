// Drawing images of noise, and watching them come.
import { get, stream, Problem } from "./api.js";
import { bitmapOf, byId, counted, download, groupedOptions, make, options, paint, say, showValue } from "./dom.js";
import { add, chooseModel, classChoices, models } from "./gallery.js";

/** What stands beside a sampler's name; those first that need few steps. */
const SAMPLERS = {
  unipc: "UniPC · few steps", "dpm++": "DPM-Solver++", ddim: "DDIM", ddpm: "DDPM · the paper's", "dpm++-sde": "DPM-Solver++ SDE",
  deis: "DEIS", pndm: "PNDM", plms: "PLMS", ipndm: "iPNDM", lms: "LMS", heun: "Heun", euler: "Euler", "euler-ancestral": "Euler ancestral",
};
const PREVIEWS = 24;

/** Where models come from, in the order of the choice. */
const KINDS = { bundled: "With ddpm4j", run: "Runs", pipeline: "Folders of diffusers", checkpoint: "Checkpoints", hub: "The hub's cache" };

let running = null;
let shown = null;

export async function begin() {
  showValue("draw-steps");
  showValue("draw-guidance", (v) => (Number(v) === 1 ? "none" : `${v}×`));
  byId("draw-form").addEventListener("submit", (event) => { event.preventDefault(); draw(); });
  byId("draw-stop").addEventListener("click", () => running?.abort());
  byId("draw-dice").addEventListener("click", () => {
    byId("draw-seed").value = Math.floor(Math.random() * 1e6);
  });
  byId("draw-model").addEventListener("change", showModel);
  byId("detail-time").addEventListener("input", showMoment);
  byId("detail-download").addEventListener("click", () => download(shown.png, `${shown.name.replace(/\W+/g, "-")}.png`));
  byId("detail-copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText(shown.command);
    byId("detail-copy").textContent = "Copied";
    setTimeout(() => { byId("detail-copy").textContent = "Copy command"; }, 1500);
  });
  byId("detail-redraw").addEventListener("click", redraw);
  byId("detail-edit").addEventListener("click", () => {
    byId("detail").close();
    document.dispatchEvent(new CustomEvent("edit-image", { detail: shown }));
    location.hash = "edit";
  });
  await Promise.all([readSamplers(), readModels()]);
}

async function readSamplers() {
  try {
    const document = await get("/v1/openapi.json");
    const there = document.components.schemas.SampleRequest.properties.sampler.enum;
    const known = Object.keys(SAMPLERS).filter((name) => there.includes(name));
    options(byId("draw-sampler"), [...known, ...there.filter((name) => !(name in SAMPLERS))].map((name) => [name, SAMPLERS[name] ?? name]));
  } catch (problem) {
    say("draw-status", problem.message, true);
  }
}

export const enter = () => readModels();

async function readModels() {
  try {
    models.all = (await get("/v1/models")).models;
    groupedOptions(byId("draw-model"), Object.entries(KINDS).map(([kind, label]) => [label,
      models.all.filter((m) => m.kind === kind).map((m) => [m.id, kind === "bundled" ? "Clothes (comes along)" : m.id])]));
    showModel();
  } catch (problem) {
    say("draw-status", problem.message, true);
  }
}

/** What a model cannot do stays in its place, so that nothing jumps when another is chosen. */
function showModel() {
  const model = models.all.find((m) => m.id === byId("draw-model").value) ?? models.all[0];
  chooseModel(model);
  options(byId("draw-class"), classChoices(model, "all in turn"));
  byId("draw-class").disabled = !model.classes.length;
  byId("draw-guidance").disabled = !model.guidable;
  if (!model.guidable) byId("draw-guidance").value = 1;
  byId("draw-guidance").dispatchEvent(new Event("input"));
  byId("draw-steps").max = Math.min(100, model.timesteps);
  if (!running && !byId("draw-empty").hidden) {
    const classes = model.classes.length ? counted(model.classes.length, "class", "classes") : "no classes";
    say("draw-status", `${model.width} × ${model.height}, ${model.channels === 1 ? "grey" : "colour"}, ${classes}`);
  }
}

function request(seeds, cls) {
  const model = models.chosen;
  const body = {
    model: model.id, seeds, sampler: byId("draw-sampler").value,
    steps: Number(byId("draw-steps").value), previews: PREVIEWS,
  };
  if (cls) body.class = cls;
  const guidance = Number(byId("draw-guidance").value);
  if (model.guidable && guidance !== 1) body.guidance = guidance;
  return body;
}

function tile(plan, [label, number]) {
  const canvas = make("canvas", { width: plan.width, height: plan.height });
  const image = { canvas, frames: [], title: label };
  image.caption = make("span", {}, make("b", {}, label), "");
  image.button = make("button", { type: "button", class: "tile", click: () => show(image) }, canvas, image.caption);
  name(image, number);
  return image;
}

/** Writes a tile's number beside its label. */
function name(image, number) {
  image.name = `${image.title} ${number}`;
  image.caption.lastChild.textContent = String(number);
  image.button.setAttribute("aria-label", image.className ? `${image.title}, seed ${number}` : image.name);
}

/** Draws into tiles; used by the room for edits, too. */
export async function drawInto({ list, path, body, status, progress, signal, describe }) {
  let tiles = [];
  let plan = null;
  const bar = byId(progress);
  bar.value = 0;
  bar.classList.add("on");
  say(status, "Waiting for its turn…");
  const start = performance.now();
  try {
    await stream(path, body, signal, async (event, data) => {
      if (event === "begin") {
        plan = data;
        tiles = plan.images.map((image) => {
          const made = tile(plan, describe(image));
          return Object.assign(made, { seed: image.seed, cls: image.class, className: image.class_name, command: image.command, steps: plan.steps, body });
        });
        // Those of before stay until these take their places, so that the page keeps its height.
        list.replaceChildren(...tiles.map((made) => make("li", {}, made.button)));
      } else if (event === "preview") {
        const bitmap = await bitmapOf(data.png);
        for (let i = 0; i < data.count; i++) {
          const frame = make("canvas");
          paint(frame, bitmap, i * plan.height, plan.height);
          const image = tiles[data.first + i];
          image.frames.push({ canvas: frame, step: data.step });
          paint(image.canvas, frame);
        }
        bar.value = Math.max(bar.value, data.step / data.steps);
        say(status, `Step ${data.step} of ${data.steps}`);
      } else if (event === "image") {
        const image = tiles[data.position];
        image.png = data.png;
        image.bitmap = await bitmapOf(data.png);
        paint(image.canvas, image.bitmap);
        add(image);
      } else if (event === "done") {
        const seconds = (performance.now() - start) / 1000;
        say(status, `${tiles.length} ${tiles.length === 1 ? "image" : "images"} in ${seconds.toFixed(1)} s`);
      }
    });
    return tiles;
  } catch (problem) {
    if (problem.name === "AbortError") say(status, "Stopped.");
    else if (problem instanceof Problem) say(status, problem.message, true);
    else throw problem;
    return null;
  } finally {
    bar.classList.remove("on");
  }
}

/** The label and the number of a drawn image. */
const describe = (image) => [image.class_name ?? (image.class === undefined ? "Seed" : "No class"), image.seed];

async function drawSeeds(seeds, cls) {
  running?.abort();
  const mine = new AbortController();
  running = mine;
  byId("draw-empty").hidden = true;
  byId("draw-stop").hidden = false;
  const tiles = await drawInto({
    list: byId("draw-tiles"), path: "/v1/samples", body: request(seeds, cls),
    status: "draw-status", progress: "draw-progress", signal: mine.signal, describe,
  });
  if (running === mine) {
    byId("draw-stop").hidden = true;
    running = null;
  }
  return tiles;
}

function draw() {
  const count = Number(byId("draw-count").value);
  const first = Number(byId("draw-seed").value);
  return drawSeeds(Array.from({ length: count }, (_, i) => first + i), byId("draw-class").value);
}

/** The image's class with the next seed, in its place in the dialog. */
async function redraw() {
  const seed = Math.floor(Math.random() * 1e6);
  const place = shown;
  byId("detail-redraw").disabled = true;
  const list = make("ul");
  const body = { ...place.body, seeds: [seed] };
  delete body.seed;
  delete body.count;
  if (place.className) body.class = place.className;
  const tiles = await drawInto({
    list, path: "/v1/samples", body, status: "draw-status", progress: "draw-progress", describe,
  });
  byId("detail-redraw").disabled = false;
  if (!tiles) return;
  const [fresh] = tiles;
  Object.assign(place, { frames: fresh.frames, seed, png: fresh.png, bitmap: fresh.bitmap, command: fresh.command });
  paint(place.canvas, fresh.bitmap);
  name(place, seed);
  show(place);
}

function show(image) {
  if (!image.png) return;
  shown = image;
  byId("detail-title").textContent = image.className ?? image.name;
  const time = byId("detail-time");
  time.max = image.frames.length;
  time.value = image.frames.length;
  byId("detail-time-row").hidden = image.frames.length < 2;
  const facts = [["Seed", image.seed], ["Class", image.className], ["Sampler", image.body.sampler], ["Steps", image.steps],
    ["Guidance", image.body.guidance], ["Strength", image.body.strength]];
  byId("detail-facts").replaceChildren(...facts.filter(([, v]) => v !== undefined)
    .flatMap(([k, v]) => [make("dt", {}, k), make("dd", {}, String(v))]));
  const isSample = image.command !== undefined;
  byId("detail-command").hidden = byId("detail-command-label").hidden = byId("detail-copy").hidden = !isSample;
  byId("detail-redraw").hidden = !isSample;
  byId("detail-command").textContent = image.command ?? "";
  byId("detail-canvas").setAttribute("aria-label", image.name);
  showMoment();
  if (!byId("detail").open) byId("detail").showModal();
}

function showMoment() {
  const at = Number(byId("detail-time").value);
  const frame = shown.frames[at];
  paint(byId("detail-canvas"), frame ? frame.canvas : shown.bitmap);
  byId("detail-time-out").textContent = frame ? `step ${frame.step} of ${shown.steps}` : "the image";
}
