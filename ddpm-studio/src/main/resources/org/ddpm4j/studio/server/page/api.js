// The service's interface, as /v1/openapi.json describes it.
import { byId } from "./dom.js";

let token = sessionStorage.getItem("ddpm-token");

/** A sentence of the service about what is wrong. */
export class Problem extends Error {}

function askForToken() {
  return new Promise((resolve) => {
    const dialog = byId("token-dialog");
    byId("token-form").onsubmit = (event) => {
      event.preventDefault();
      token = byId("token").value;
      sessionStorage.setItem("ddpm-token", token);
      dialog.close();
      resolve();
    };
    if (!dialog.open) dialog.showModal();
  });
}

async function call(path, init = {}) {
  let response;
  try {
    response = await fetch(path, {
      ...init,
      headers: { ...init.headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    });
  } catch (failure) {
    if (failure.name === "AbortError") throw failure;
    throw new Problem("The service does not answer; is it still running?");
  }
  if (response.status === 401) {
    await askForToken();
    return call(path, init);
  }
  if (!response.ok) {
    const problem = await response.json().catch(() => ({ detail: response.statusText }));
    throw new Problem(problem.detail);
  }
  return response;
}

export const get = async (path) => (await call(path)).json();

const json = (body) => ({
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
});

export const post = async (path, body) => (await call(path, json(body))).json();

export const remove = (path) => call(path, { method: "DELETE" });

/** A picture behind the token, as an address for an image. */
export async function picture(path) {
  return URL.createObjectURL(await (await call(path)).blob());
}

/** Posts a request and passes on each event of the answer. */
export async function stream(path, body, signal, onEvent) {
  const init = json(body);
  init.headers.Accept = "text/event-stream";
  const response = await call(path, { ...init, signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const events = rest.split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const name = /^event: (.*)$/m.exec(event)?.[1];
      const data = JSON.parse(/^data: (.*)$/m.exec(event)[1]);
      if (name === "error") throw new Problem(data.detail);
      await onEvent(name, data);
    }
  }
}
