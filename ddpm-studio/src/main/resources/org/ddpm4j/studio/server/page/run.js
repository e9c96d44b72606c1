// One run: its figures, curves, and the film of what it draws.
import { picture } from "./api.js";
import { duration, make, rate } from "./dom.js";
import { lineChart } from "./chart.js";

const MILLIS_PER_GRID = 400;

let shown = null;
let grid = { key: null, follow: true };
let film = null;
let first = null;

/** The newest of some values that is one. */
const newest = (values) => values.findLast((v) => v !== null) ?? null;

const number = (value, digits = 4) => (value === null || value === undefined ? "–" : Number(value.toPrecision(digits)).toString());

/** Reads what a run that was not shown yet begins with, before anything of it is shown. */
export async function prepareRun(run) {
  if (shown?.name === run.name || !run.grids.length) return;
  const step = run.grids.at(-1);
  first = { key: keyOf(run, step), picture: await readGrid(run, step) };
}

/** Of a run that has ended and kept nothing but its model it is not known which step that is of. */
export const isWithoutCheckpoints = (run) => run.state === "done" && !run.step;

const keyOf = (run, step) => `${run.name}/${step}`;

/** A grid with its size, decoded, so that its place is known before it is shown. */
async function readGrid(run, step) {
  const image = new Image();
  image.src = await picture(`/v1/runs/${encodeURIComponent(run.name)}/grids/${step}.png`);
  await image.decode();
  return image;
}

/** Shows a run; with actions pause, resume and stop. Another run begins its film at the end. */
export async function showRun(place, run, actions, isBusy) {
  if (shown?.name !== run.name) {
    stopFilm();
    grid = { key: null, follow: true };
    shown = build(run.name, actions);
    place.replaceChildren(...shown.parts);
  }
  const { losses } = run;
  const figures = [
    ["Step", isWithoutCheckpoints(run) ? `${run.steps || "–"}` : run.steps ? `${run.step} of ${run.steps}` : `${run.step}`],
    ["Loss", number(run.loss ?? newest(losses.loss))],
    ["Held-out loss", number(newest(losses.validation_loss))],
    ["Learning rate", number(newest(losses.learning_rate), 3)],
    ["Images a second", run.images_per_second ? rate(run.images_per_second) : "–"],
    ["Left", run.state === "running" ? duration(run.seconds_left) : "–"],
  ];
  if (run.distances?.step.length) figures.push(["Fréchet distance", number(run.distances.frechet_distance.at(-1))]);
  shown.figures.replaceChildren(...figures.map(([k, v]) => make("div", {}, make("dt", {}, k), make("dd", {}, String(v)))));
  shown.pause.hidden = shown.stop.hidden = !(run.state === "running" && run.ours);
  shown.resume.hidden = !["paused", "stopped"].includes(run.state);
  shown.resume.disabled = isBusy;
  shown.elsewhere.hidden = !(run.state === "running" && !run.ours);
  const curves = [{ name: "training loss", x: losses.step, y: losses.loss }];
  if (newest(losses.validation_loss) !== null) curves.push({ name: "held-out loss", x: losses.step, y: losses.validation_loss });
  if (losses.step.length > 1) {
    lineChart(shown.loss, curves, { label: `Loss of ${run.name} by step`, log: true });
    lineChart(shown.rate, [{ name: "learning rate", x: losses.step, y: losses.learning_rate }], { label: `Learning rate of ${run.name} by step` });
  } else {
    shown.loss.replaceChildren(make("p", { class: "note" }, "The curve begins with the second report."));
    shown.rate.replaceChildren();
  }
  shown.distances.hidden = !(run.distances?.step.length > 1);
  if (!shown.distances.hidden) {
    lineChart(shown.distanceChart, [{ name: "Fréchet distance", x: run.distances.step, y: run.distances.frechet_distance }],
      { label: `Fréchet distance of ${run.name}'s samples by step`, log: true });
  }
  shown.bound.hidden = !run.bound;
  if (run.bound) {
    lineChart(shown.boundChart, [{ name: "error of the noise", x: run.bound.t, y: run.bound.eps_mse }],
      { label: `Loss of ${run.name} by timestep`, log: true });
  }
  await showGrid(run);
}

export function leaveRun() {
  stopFilm();
}

function build(name, { pause, resume, stop }) {
  const parts = { name };
  parts.figures = make("dl", { class: "figures" });
  parts.loss = make("div", { class: "chart" });
  parts.rate = make("div", { class: "chart low" });
  parts.pause = make("button", { type: "button", click: () => pause(name) }, "Pause");
  parts.stop = make("button", { type: "button", click: () => stop(name) }, "Stop and save");
  parts.resume = make("button", { type: "button", click: () => resume(name) }, "Go on");
  parts.elsewhere = make("p", { class: "note" }, "It is trained by another program; stop it there by Ctrl-C.");
  parts.image = make("img", { alt: "Samples along the way" });
  parts.time = make("input", { type: "range", min: 0, max: 0, value: 0, input: () => { stopFilm(); grid.follow = false; showGrid(parts.run); } });
  parts.play = make("button", { type: "button", "aria-pressed": "false", click: play }, "Play");
  parts.caption = make("output");
  parts.film = make("div", { hidden: true }, make("h2", {}, "What it draws"),
    make("div", { class: "film" }, parts.image,
      make("label", { class: "slider" }, "Along the way ", parts.caption, parts.time), make("div", { class: "actions" }, parts.play)));
  parts.distanceChart = make("div", { class: "chart low" });
  parts.distances = make("div", {}, make("h2", {}, "Distance from real images"), parts.distanceChart);
  parts.boundChart = make("div", { class: "chart low" });
  parts.bound = make("div", {}, make("h2", {}, "Loss per timestep, of ", make("code", {}, "ddpm evaluate")), parts.boundChart);
  parts.parts = [make("h2", {}, name), parts.figures,
    make("div", { class: "actions" }, parts.pause, parts.resume, parts.stop, parts.elsewhere),
    make("h2", {}, "Loss"), parts.loss, make("h2", {}, "Learning rate"), parts.rate, parts.film, parts.distances, parts.bound];
  return parts;
}

async function showGrid(run) {
  shown.run = run;
  if (!run.grids.length) return;
  const time = shown.time;
  time.max = run.grids.length - 1;
  if (grid.follow) time.value = time.max;
  shown.play.hidden = run.grids.length < 2;
  const step = run.grids[Number(time.value)];
  const key = keyOf(run, step);
  if (grid.key === key) return;
  grid.key = key;
  const image = first?.key === key ? first.picture : await readGrid(run, step);
  first = null;
  if (grid.key !== key) {
    URL.revokeObjectURL(image.src);
    return;
  }
  if (shown.image.src) URL.revokeObjectURL(shown.image.src);
  image.alt = `Samples at step ${step}`;
  image.width = image.naturalWidth;
  image.height = image.naturalHeight;
  shown.image.replaceWith(image);
  shown.image = image;
  shown.caption.textContent = `step ${step}`;
  shown.film.hidden = false;
}

/** From the first grid to the last, once, each as long as it takes to come and a moment more; or stops. */
async function play() {
  if (film) {
    stopFilm();
    return;
  }
  const own = film = {};
  const goesOn = () => film === own;
  grid.follow = false;
  shown.play.textContent = "Stop";
  shown.play.setAttribute("aria-pressed", "true");
  try {
    for (let at = 0; goesOn() && at <= Number(shown.time.max); at++) {
      shown.time.value = at;
      await showGrid(shown.run);
      await new Promise((done) => { setTimeout(done, MILLIS_PER_GRID); });
    }
  } finally {
    if (goesOn()) stopFilm();
  }
}

function stopFilm() {
  film = null;
  if (!shown) return;
  shown.play.textContent = "Play";
  shown.play.setAttribute("aria-pressed", "false");
  grid.follow = Number(shown.time.value) === Number(shown.time.max);
}
