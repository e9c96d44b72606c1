// The forward process on an image, the schedules side by side, and a model's loss per timestep.
import { get, post } from "./api.js";
import { byId, fillStrip, make, options, paint, pngOf, readImageFile, say, showValue } from "./dom.js";
import { images, models, nameOfModel } from "./gallery.js";
import { lineChart } from "./chart.js";

const SETTLE_MILLIS = 150;

let data = null;
let source = null;
let x0 = null;
let noise = null;
let losses = null;
let settling = null;

export async function begin() {
  byId("understand-t").addEventListener("input", show);
  byId("understand-schedule").addEventListener("change", show);
  showValue("understand-timesteps");
  for (const id of ["understand-timesteps", "understand-beta-start", "understand-beta-end", "understand-zero"]) {
    byId(id).addEventListener("input", () => {
      clearTimeout(settling);
      settling = setTimeout(read, SETTLE_MILLIS);
    });
  }
  byId("understand-measure").addEventListener("click", measure);
  byId("understand-loss-curve").addEventListener("change", showLosses);
  byId("understand-file").addEventListener("change", async () => {
    try {
      if (byId("understand-file").files.length) choose(await readImageFile(byId("understand-file")));
    } catch {
      say("understand-status", "This file is no image that the browser can read.", true);
    }
  });
  document.addEventListener("gallery", showStrip);
  document.addEventListener("model", () => { byId("understand-model").textContent = nameOfModel(models.chosen); });
}

export async function enter() {
  if (!data) await read();
  if (!source) choose(images[0] ?? { bitmap: disc(), title: "a disc" });
  showStrip();
  show();
}

/** The curves of all schedules with the settings that were made. */
async function read() {
  const query = new URLSearchParams({ timesteps: byId("understand-timesteps").value });
  for (const [name, id] of [["beta_start", "understand-beta-start"], ["beta_end", "understand-beta-end"]]) {
    if (byId(id).value) query.set(name, byId(id).value);
  }
  if (byId("understand-zero").checked) query.set("zero_terminal_snr", "true");
  try {
    data = await get(`/v1/schedules?${query}`);
    options(byId("understand-schedule"), data.schedules.map((s) => [s.name, s.name]));
    byId("understand-curves").hidden = false;
    say("understand-status", "");
    show();
  } catch (problem) {
    say("understand-status", problem.message, true);
  }
}

/** How well the model sees through the noise of the image at each timestep. */
async function measure() {
  const button = byId("understand-measure");
  button.disabled = true;
  const model = models.chosen;
  const canvas = make("canvas", { width: model.width, height: model.height });
  canvas.getContext("2d").drawImage(source.bitmap, 0, 0, canvas.width, canvas.height);
  const body = { model: model.id, image: pngOf(canvas) };
  if (source.className && model.classes.includes(source.className)) body.class = source.className;
  try {
    losses = { ...await post("/v1/losses", body), of: source };
    say("understand-status", "");
    showLosses();
  } catch (problem) {
    say("understand-status", problem.message, true);
  }
  button.disabled = false;
}

function showLosses() {
  if (!losses) return;
  const curve = byId("understand-loss-curve");
  const total = curve.value === "bits_per_dim" ? `, ${losses.total_bits_per_dim.toFixed(2)} bits/dim in all` : "";
  lineChart(byId("understand-loss"), [{ name: curve.selectedOptions[0].textContent + total, x: losses.t, y: losses[curve.value] }],
    { label: `${curve.selectedOptions[0].textContent} by timestep`, log: true });
}

/** Something to see before anything was drawn. */
function disc() {
  const canvas = make("canvas", { width: 28, height: 28 });
  const context = canvas.getContext("2d");
  context.fillStyle = "#000";
  context.fillRect(0, 0, 28, 28);
  context.fillStyle = "#ddd";
  context.beginPath();
  context.arc(14, 14, 9, 0, 7);
  context.fill();
  return canvas;
}

const showStrip = () => fillStrip(byId("understand-strip"), images, source, choose);

function choose(image) {
  source = image;
  const size = Math.min(96, image.bitmap.width);
  const canvas = make("canvas", { width: size, height: Math.round(size * image.bitmap.height / image.bitmap.width) });
  canvas.getContext("2d").drawImage(image.bitmap, 0, 0, canvas.width, canvas.height);
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  x0 = { width: canvas.width, height: canvas.height, values: Float64Array.from(pixels.data, (v) => v / 127.5 - 1) };
  const isGrey = x0.values.every((v, i) => i % 4 === 3 || v === x0.values[i - (i % 4)]);
  noise = new Float64Array(x0.values.length);
  for (let i = 0; i < noise.length; i++) {
    noise[i] = isGrey && i % 4 ? noise[i - 1] : Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  }
  showStrip();
  show();
}

function put(id, valueOf) {
  const canvas = byId(id);
  canvas.width = x0.width;
  canvas.height = x0.height;
  const pixels = new ImageData(x0.width, x0.height);
  for (let i = 0; i < pixels.data.length; i++) pixels.data[i] = i % 4 === 3 ? 255 : (valueOf(i) + 1) * 127.5;
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

function show() {
  if (!data || !x0) return;
  const at = Number(byId("understand-t").value);
  const t = data.t[at];
  const schedule = data.schedules.find((s) => s.name === byId("understand-schedule").value);
  byId("understand-t-out").textContent = `${t} of ${data.timesteps}`;
  byId("understand-betas").hidden = !schedule.takes_betas;
  if (schedule.obstacle) {
    byId("understand-figures").replaceChildren();
    byId("understand-advice").replaceChildren(make("li", {}, schedule.obstacle));
    return;
  }
  const left = schedule.alphas_cumprod[at];
  byId("understand-caption").textContent = `t\u00a0=\u00a0${t}: ${percent(left)}\u00a0image, ${percent(1 - left)}\u00a0noise`;
  put("understand-x0", (i) => x0.values[i]);
  put("understand-eps", (i) => noise[i] / 2);
  put("understand-xt", (i) => Math.sqrt(left) * x0.values[i] + Math.sqrt(1 - left) * noise[i]);
  const curves = (key) => data.schedules.filter((s) => s[key]).map((s) => ({ name: s.name, x: data.t, y: s[key] }));
  lineChart(byId("understand-chart"), curves("alphas_cumprod"), { label: "Share of the image left, by timestep and schedule", cursor: t, bold: schedule.name });
  lineChart(byId("understand-snr"), curves("log_snr"), { label: "Logarithm of the signal-to-noise ratio, by timestep and schedule", cursor: t, bold: schedule.name, yRange: [-12, 12] });
  const figures = [
    ["Left of the image at the end", figure(schedule.signal_left)],
    ["Away from pure noise", `${figure(schedule.kl_bits_per_dim)} bits/dim`],
    ["Pure noise from", schedule.first_pure_noise === undefined ? "nowhere" : `t = ${schedule.first_pure_noise}, ${Math.round(100 * schedule.pure_noise_share)} %`],
  ];
  byId("understand-figures").replaceChildren(...figures.flatMap(([k, v]) => [make("dt", {}, k), make("dd", {}, v)]));
  byId("understand-advice").replaceChildren(...(schedule.advice.length ? schedule.advice : [{ text: "Nothing to complain about." }])
    .map((advice) => make("li", { class: advice.severity ?? "" }, advice.text)));
}

const percent = (share) => `${(100 * Math.sqrt(share)).toFixed(1)}\u00a0%`;

const figure = (v) => (v !== 0 && Math.abs(v) < 1e-3 ? v.toExponential(1) : String(Number(v.toPrecision(3))));
