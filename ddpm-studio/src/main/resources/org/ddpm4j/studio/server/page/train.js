// Trainings: begun here, or by the command line.
import { get, picture, post } from "./api.js";
import { byId, duration, make, options, say } from "./dom.js";
import { lineChart } from "./chart.js";

const STATES = {
  running: "training", stopped: "stopped", done: "done", empty: "no checkpoint", beginning: "beginning", failed: "failed",
};
const EVERY_MILLIS = 2000;

let timer = null;
let chosen = null;
let detail = null;
let grid = { key: null, step: null, follow: true };

export async function begin() {
  byId("train-form").addEventListener("submit", (event) => { event.preventDefault(); start(); });
  try {
    const { schedules } = await get("/v1/schedules");
    options(byId("train-schedule"), [["", "linear"], ...schedules.filter((s) => s.name !== "linear").map((s) => [s.name, s.name])]);
  } catch (problem) {
    say("train-status", problem.message, true);
  }
}

export function enter() {
  clearInterval(timer);
  timer = setInterval(refresh, EVERY_MILLIS);
  refresh();
}

export function leave() {
  clearInterval(timer);
}

async function start() {
  const body = { dataset: byId("train-dataset").value, minutes: Number(byId("train-minutes").value) };
  const optional = { name: "train-name", batch_size: "train-batch", learning_rate: "train-rate", steps: "train-steps", seed: "train-seed", schedule: "train-schedule" };
  for (const [field, id] of Object.entries(optional)) {
    const value = byId(id).value;
    if (value) body[field] = ["name", "schedule"].includes(field) ? value : Number(value);
  }
  if (byId("train-classes").checked) body.class_conditional = true;
  await act(async () => {
    const { name } = await post("/v1/runs", body);
    chosen = name;
    say("train-status", `${name} begins; its first steps take a little while.`);
  });
}

async function act(work) {
  try {
    await work();
    await refresh();
  } catch (problem) {
    say("train-status", problem.message, true);
  }
}

function facts(run) {
  if (run.detail) return run.detail;
  const parts = [];
  if (run.steps) parts.push(`step ${run.step} of ${run.steps}`);
  if (run.images_per_second) parts.push(`${Math.round(run.images_per_second)} images/s`);
  if (run.seconds_left !== undefined) parts.push(`${duration(run.seconds_left)} left`);
  if (run.data) parts.push(`${run.data}, ${run.images} images`);
  return parts.join(" · ");
}

async function refresh() {
  let list;
  try {
    list = await get("/v1/runs");
  } catch (problem) {
    say("train-status", problem.message, true);
    return;
  }
  options(byId("train-dataset"), list.datasets.map((name) => [name, name]));
  byId("train-empty").hidden = list.runs.length > 0;
  if (!list.runs.some((run) => run.name === chosen)) chosen = list.runs[0]?.name ?? null;
  const focused = document.activeElement?.dataset?.run;
  byId("train-runs").replaceChildren(...list.runs.map((run) => make("li", {}, make("button", {
    type: "button", "aria-pressed": String(run.name === chosen), "data-run": run.name,
    click: () => { chosen = run.name; grid = { key: null, step: null, follow: true }; refresh(); },
  },
  make("span", { class: "name" }, run.name),
  make("span", { class: `badge ${run.state}` }, STATES[run.state]),
  make("span", { class: "facts" }, facts(run))))));
  if (focused) document.querySelector(`[data-run="${CSS.escape(focused)}"]`)?.focus();
  const run = list.runs.find((each) => each.name === chosen);
  await showRun(run && ["beginning", "failed"].includes(run.state) && run.step === undefined ? null : run, list.runs);
}

async function showRun(listed, all) {
  const place = byId("train-run");
  place.hidden = !listed;
  if (!listed) {
    detail = null;
    return;
  }
  const run = await get(`/v1/runs/${encodeURIComponent(listed.name)}`).catch(() => null);
  if (!run) return;
  if (detail?.name !== run.name) {
    detail = build(run.name);
    place.replaceChildren(...detail.parts);
  }
  const figures = [["Step", `${run.step}`], ["Loss", run.loss?.toFixed(4) ?? run.losses.loss.at(-1)?.toFixed(4) ?? "–"],
    ["Images a second", run.images_per_second ? Math.round(run.images_per_second) : "–"], ["Left", run.state === "running" ? duration(run.seconds_left) : "–"]];
  detail.figures.replaceChildren(...figures.map(([k, v]) => make("div", {}, make("dt", {}, k), make("dd", {}, String(v)))));
  detail.stop.hidden = !(run.state === "running" && run.ours);
  detail.resume.hidden = run.state !== "stopped";
  detail.resume.disabled = all.some((other) => other.ours && other.state === "running");
  detail.elsewhere.hidden = !(run.state === "running" && !run.ours);
  const { losses } = run;
  const curves = [{ name: "training loss", x: losses.step, y: losses.loss }];
  if (losses.validation_loss.some((y) => y !== null)) curves.push({ name: "held-out loss", x: losses.step, y: losses.validation_loss });
  if (losses.step.length > 1) lineChart(detail.chart, curves, { label: `Loss of ${run.name} by step`, log: true });
  else detail.chart.replaceChildren(make("p", { class: "note" }, "The curve begins with the second report."));
  await showFilm(run);
}

function build(name) {
  const parts = { name };
  parts.figures = make("dl", { class: "figures" });
  parts.chart = make("div", { class: "chart" });
  parts.stop = make("button", { type: "button", click: () => act(() => post(`/v1/runs/${encodeURIComponent(name)}/stop`, {})) }, "Stop and save");
  parts.resume = make("button", { type: "button", click: () => act(() =>
    post(`/v1/runs/${encodeURIComponent(name)}/resume`, { minutes: Number(byId("train-minutes").value) })) }, "Go on");
  parts.elsewhere = make("p", { class: "note" }, "It is trained by another program; stop it there by Ctrl-C.");
  parts.image = make("img", { alt: "Samples along the way" });
  parts.time = make("input", { type: "range", min: 0, max: 0, value: 0, input: () => { grid.follow = false; showFilm(parts.run); } });
  parts.caption = make("output");
  parts.film = make("div", {}, make("h2", {}, "What it draws"),
    make("div", { class: "film" }, parts.image, make("label", { class: "slider" }, "Along the way ", parts.caption, parts.time)));
  parts.parts = [make("h2", {}, name), parts.figures, make("div", { class: "actions" }, parts.stop, parts.resume), parts.elsewhere,
    make("h2", {}, "Loss"), parts.chart, parts.film];
  return parts;
}

async function showFilm(run) {
  detail.run = run;
  detail.film.hidden = !run.grids.length;
  if (!run.grids.length) return;
  const time = detail.time;
  time.max = run.grids.length - 1;
  if (grid.follow || time.value === time.max) time.value = time.max;
  const step = run.grids[Number(time.value)];
  detail.caption.textContent = `step ${step}`;
  const key = `${run.name}/${step}`;
  if (grid.key === key) return;
  grid.key = key;
  const address = await picture(`/v1/runs/${encodeURIComponent(run.name)}/grids/${step}.png`);
  if (grid.key !== key) return;
  if (detail.image.src) URL.revokeObjectURL(detail.image.src);
  detail.image.src = address;
  detail.image.alt = `Samples at step ${step}`;
}
