// Sending a folder of images to be trained on.
import { post } from "./api.js";

const EXTENSIONS = /\.(jpe?g|jpe|jfif|png|gif|bmp|tiff?|webp)$/i;
const MOST_BYTES = 4e6;
/** Of a request, in Base64. */
const PORTION = 2.5e6;
const MOST_AT_ONCE = 64;

const base64Of = (file) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(file);
});

/** The class, which is the first folder in the chosen one, and the file. */
function pathOf(file) {
  const below = file.webkitRelativePath.split("/").slice(1);
  return below.length > 1 ? `${below[0]}/${file.name}` : file.name;
}

/** The images of a chosen folder that can be sent. */
export const imagesOf = (files) => [...files].filter((file) =>
  EXTENSIONS.test(file.name) && !file.name.startsWith(".") && file.size > 0 && file.size <= MOST_BYTES);

/** A name for the data set, of the folder's, that none has yet. */
export function nameFor(files, taken) {
  const folder = (files[0].webkitRelativePath || "images").split("/")[0];
  const name = folder.normalize("NFKD").replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(0, 50) || "images";
  for (let i = 1; ; i++) {
    const free = i === 1 ? name : `${name}-${i}`;
    if (!taken.includes(free)) return free;
  }
}

/** Sends images, and says after each portion how many are there and how many were refused. */
export async function upload(name, files, onProgress) {
  await post("/v1/datasets", { name });
  let portion = [];
  let size = 0;
  let refused = 0;
  let last = null;
  const send = async () => {
    if (!portion.length) return;
    last = await post(`/v1/datasets/${encodeURIComponent(name)}/images`, { images: portion });
    refused += last.refused.length;
    portion = [];
    size = 0;
    onProgress(last.images, refused);
  };
  for (const file of files) {
    const image = { path: pathOf(file), file: await base64Of(file) };
    if (size + image.file.length > PORTION || portion.length >= MOST_AT_ONCE) await send();
    portion.push(image);
    size += image.file.length;
  }
  await send();
  return { images: last?.images ?? 0, refused };
}
