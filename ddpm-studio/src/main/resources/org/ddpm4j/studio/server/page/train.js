// Trainings: begun here, or by the command line.
import { get, post, remove } from "./api.js";
import { byId, counted, duration, make, options, rate, say } from "./dom.js";
import { lineChart } from "./chart.js";
import { isWithoutCheckpoints, leaveRun, prepareRun, showRun } from "./run.js";
import { imagesOf, nameFor, upload } from "./upload.js";

const STATES = {
  running: "training", paused: "paused", stopped: "stopped", done: "done", empty: "no checkpoint", beginning: "beginning", failed: "failed",
};
const EVERY_MILLIS = 2000;

let timer = null;
let chosen = null;
let dataSets = [];
let known = [];
let refreshing = false;
/** Runs that are compared: the newest two until somebody chooses. */
let compared = null;
/** What is shown of each run in the list, by the run's name. */
const rows = new Map();

export async function begin() {
  byId("train-form").addEventListener("submit", (event) => { event.preventDefault(); start(); });
  byId("train-folder").addEventListener("change", showFolder);
  byId("train-send").addEventListener("click", send);
  byId("train-forget").addEventListener("click", forget);
  byId("train-dataset").addEventListener("change", showDataSet);
  byId("train-curve").addEventListener("change", compare);
  for (const id of ["train-schedule", "train-timesteps"]) byId(id).addEventListener("change", showSchedule);
  byId("train-schedule").closest("details").addEventListener("toggle", showSchedule);
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
  leaveRun();
}

/** The schedule that is chosen, as a curve, and what is wrong with it. */
async function showSchedule() {
  if (!byId("train-schedule").closest("details").open) return;
  const name = byId("train-schedule").value || "linear";
  const timesteps = Number(byId("train-timesteps").value) || 1000;
  try {
    const { t, schedules } = await get(`/v1/schedules?timesteps=${timesteps}`);
    const schedule = schedules.find((s) => s.name === name);
    const curves = schedules.filter((s) => s.alphas_cumprod && (s.name === name || s.name === "cosine"))
      .map((s) => ({ name: s.name, x: t, y: s.alphas_cumprod }));
    lineChart(byId("train-schedule-chart"), curves, { label: `Share of the image left, by timestep, of ${name}`, bold: name });
    const said = schedule.obstacle ? [{ text: schedule.obstacle }] : schedule.advice;
    byId("train-advice").replaceChildren(...(said.length ? said : [{ text: "The schedule's doctor finds it sound." }])
      .map((advice) => make("li", {}, advice.text)));
  } catch (problem) {
    say("train-status", problem.message, true);
  }
}

function showFolder() {
  const files = imagesOf(byId("train-folder").files);
  byId("train-send").disabled = !files.length;
  say("train-upload-status", files.length
    ? `${files.length} ${files.length === 1 ? "image" : "images"} of ${byId("train-folder").files.length} files.`
    : "There is no image among these files; JPEG, PNG, GIF, BMP, TIFF or WebP of up to 4 MB are taken.", !files.length);
}

async function send() {
  const files = imagesOf(byId("train-folder").files);
  byId("train-send").disabled = true;
  try {
    const name = nameFor(files, dataSets);
    const done = await upload(name, files, (images) => say("train-upload-status", `${images} of ${files.length} are there…`));
    await refresh();
    byId("train-dataset").value = name;
    showDataSet();
    say("train-upload-status", `${name} has ${counted(done.images, "image")}${done.refused ? `; ${done.refused} could not be read` : ""}.`, done.images === 0);
  } catch (problem) {
    say("train-upload-status", problem.message, true);
  }
  byId("train-send").disabled = false;
}

async function showDataSet() {
  const { datasets } = await get("/v1/datasets").catch(() => ({ datasets: [] }));
  byId("train-forget").hidden = !datasets.some((set) => set.uploaded && set.name === byId("train-dataset").value);
}

function forget() {
  return act(async () => {
    const name = byId("train-dataset").value;
    await remove(`/v1/datasets/${encodeURIComponent(name)}`);
    byId("train-forget").hidden = true;
    say("train-upload-status", `The images of ${name} are gone.`);
  });
}

async function start() {
  const body = { dataset: byId("train-dataset").value, minutes: Number(byId("train-minutes").value) };
  const optional = {
    name: "train-name", batch_size: "train-batch", learning_rate: "train-rate", steps: "train-steps", seed: "train-seed",
    schedule: "train-schedule", timesteps: "train-timesteps", image_size: "train-size", evaluate_every: "train-evaluate",
  };
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

const to = (name, what) => act(async () => {
  await post(`/v1/runs/${encodeURIComponent(name)}/${what}`, {});
  say("train-status", { pause: `${name} saves and pauses.`, resume: `${name} goes on.`, stop: `${name} saves and stops.` }[what]);
});
const ACTIONS = {
  pause: (name) => to(name, "pause"), resume: (name) => to(name, "resume"), stop: (name) => to(name, "stop"),
};

function facts(run) {
  if (run.detail) return run.detail;
  const parts = [];
  if (run.steps) parts.push(isWithoutCheckpoints(run) ? counted(run.steps, "step") : `step ${run.step} of ${run.steps}`);
  if (run.images_per_second) parts.push(`${rate(run.images_per_second)} images/s`);
  if (run.seconds_left !== undefined) parts.push(`${duration(run.seconds_left)} left`);
  if (run.images) parts.push(`${run.data}, ${counted(run.images, "image")}`);
  return parts.join(" · ");
}

async function refresh() {
  if (refreshing) return;
  refreshing = true;
  try {
    await showAll(await get("/v1/runs"));
  } catch (problem) {
    say("train-status", problem.message, true);
  } finally {
    refreshing = false;
  }
}

/** Everything is asked for before anything is shown, so that nothing is pushed about by what comes later. */
async function showAll(list) {
  known = list.runs;
  if (!known.some((run) => run.name === chosen)) chosen = known[0]?.name ?? null;
  const run = known.find((each) => each.name === chosen && each.step !== undefined);
  const [detail, others] = await Promise.all([run ? read(run.name) : null, readCompared()]);
  if (detail) await prepareRun(detail);
  if (list.datasets.join() !== dataSets.join()) {
    dataSets = list.datasets;
    options(byId("train-dataset"), dataSets.map((name) => [name, name]));
    showDataSet();
  }
  byId("train-empty").hidden = known.length > 0;
  showRows();
  showCompared(others);
  byId("train-run").hidden = !run;
  if (detail) await showRun(byId("train-run"), detail, ACTIONS, known.some((other) => other.ours && other.state === "running"));
}

const read = (name) => get(`/v1/runs/${encodeURIComponent(name)}`).catch(() => null);

/** Rows stay while their figures change, so that neither a click under way nor the focus is lost. */
function showRows() {
  const list = byId("train-runs");
  const focused = document.activeElement;
  for (const [name, { item }] of rows) {
    if (known.some((run) => run.name === name)) continue;
    item.remove();
    rows.delete(name);
  }
  known.forEach((run, i) => {
    if (!rows.has(run.name)) rows.set(run.name, buildRow(run.name));
    const { item, tick, button, badge, figures } = rows.get(run.name);
    tick.hidden = run.step === undefined || comparable().length < 2;
    tick.checked = isCompared(run.name);
    button.setAttribute("aria-pressed", String(run.name === chosen));
    badge.className = `badge ${run.state}`;
    badge.textContent = STATES[run.state];
    figures.textContent = facts(run);
    if (list.children[i] !== item) list.insertBefore(item, list.children[i] ?? null);
  });
  if (list.contains(focused)) focused.focus({ preventScroll: true });
}

function buildRow(name) {
  const tick = make("input", {
    type: "checkbox", "aria-label": `Compare ${name}`, title: "Compare", "data-compare": name,
    change: () => {
      compared = new Set(comparable().filter(isCompared));
      if (tick.checked) compared.add(name);
      else compared.delete(name);
      compare();
    },
  });
  const badge = make("span");
  const figures = make("span", { class: "facts" });
  const button = make("button", {
    type: "button", "data-run": name, click: () => { chosen = name; refreshing = false; refresh(); },
  }, make("span", { class: "name" }, name), badge, figures);
  return { item: make("li", {}, tick, button), tick, button, badge, figures };
}

const comparable = () => known.filter((run) => run.step !== undefined).map((run) => run.name);

const isCompared = (name) => (compared ? compared.has(name) : comparable().slice(0, 2).includes(name));

const readCompared = () => (comparable().length < 2 ? [] : Promise.all(comparable().filter(isCompared).slice(0, 9).map(read)));

const compare = async () => showCompared(await readCompared());

/** The curves of several runs in one chart. */
function showCompared(runs) {
  byId("train-compare").hidden = comparable().length < 2;
  if (byId("train-compare").hidden) return;
  const curve = byId("train-curve").value;
  const curves = runs.filter(Boolean).map((run) => {
    const table = curve === "frechet_distance" ? run.distances ?? { step: [], frechet_distance: [] } : run.losses;
    return { name: run.name, x: table.step, y: table[curve] };
  });
  lineChart(byId("train-compare-chart"), curves,
    { label: `${byId("train-curve").selectedOptions[0].textContent} of ${curves.map((c) => c.name).join(", ")} by step`, log: curve !== "learning_rate" });
}
