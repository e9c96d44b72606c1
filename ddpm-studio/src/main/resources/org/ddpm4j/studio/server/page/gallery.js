// Images that were drawn or read, for all rooms.

/** The newest first: {id, bitmap, png, title, seed, cls, className, command}. */
export const images = [];

const MOST = 48;

let added = 0;

export function add(image) {
  image.id = String(added++);
  images.unshift(image);
  images.length = Math.min(images.length, MOST);
  document.dispatchEvent(new CustomEvent("gallery"));
}

/** The models, and the one that is chosen. */
export const models = { all: [], chosen: null };

/** Chooses a model, and tells the rooms. */
export function chooseModel(model) {
  models.chosen = model;
  document.dispatchEvent(new CustomEvent("model"));
}

export const nameOfModel = (model) => (model.id === "bundled" ? "the model of clothes" : model.id);

/** Choices of a class: none chosen, each, and none at all where the model knows that. */
export function classChoices(model, unchosen) {
  if (!model.classes.length) return [["", "it knows none"]];
  const choices = [["", unchosen], ...model.classes.map((name) => [name, name])];
  return model.guidable && !model.classes.includes("none") ? [...choices, ["none", "none"]] : choices;
}
