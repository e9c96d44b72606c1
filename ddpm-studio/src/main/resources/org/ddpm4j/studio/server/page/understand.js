// The forward process on an image, and the schedules side by side.
import { get } from "./api.js";
import { byId, fillStrip, make, options, paint, readImageFile } from "./dom.js";
import { images } from "./gallery.js";
import { lineChart } from "./chart.js";

let data = null;
let source = null;
let x0 = null;
let noise = null;

export async function begin() {
  byId("understand-t").addEventListener("input", show);
  byId("understand-schedule").addEventListener("change", show);
  byId("understand-file").addEventListener("change", async () => {
    if (byId("understand-file").files.length) choose(await readImageFile(byId("understand-file")));
  });
  document.addEventListener("gallery", showStrip);
}

export async function enter() {
  if (!data) {
    data = await get("/v1/schedules?timesteps=1000");
    options(byId("understand-schedule"), data.schedules.map((s) => [s.name, s.name]));
  }
  if (!source) choose(images[0] ?? { bitmap: disc(), title: "a disc" });
  showStrip();
  show();
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
  const left = schedule.alphas_cumprod[at];
  byId("understand-t-out").textContent = `${t} of ${data.timesteps}`;
  byId("understand-caption").textContent = `x at t = ${t}: ${(100 * Math.sqrt(left)).toFixed(1)} % image, ${(100 * Math.sqrt(1 - left)).toFixed(1)} % noise`;
  put("understand-x0", (i) => x0.values[i]);
  put("understand-eps", (i) => noise[i] / 2);
  put("understand-xt", (i) => Math.sqrt(left) * x0.values[i] + Math.sqrt(1 - left) * noise[i]);
  const curves = (key) => data.schedules.filter((s) => s[key]).map((s) => ({ name: s.name, x: data.t, y: s[key] }));
  lineChart(byId("understand-chart"), curves("alphas_cumprod"), { label: "Share of the image left, by timestep and schedule", cursor: t, bold: schedule.name });
  lineChart(byId("understand-snr"), curves("log_snr"), { label: "Logarithm of the signal-to-noise ratio, by timestep and schedule", cursor: t, bold: schedule.name, yRange: [-12, 12] });
  byId("understand-advice").replaceChildren(...(schedule.advice.length ? schedule.advice : [{ text: "Nothing to complain about." }])
    .map((advice) => make("li", {}, advice.text)));
}
