// The page: which room is open.
import { byId } from "./dom.js";
import * as draw from "./draw.js";
import * as edit from "./edit.js";
import * as train from "./train.js";
import * as understand from "./understand.js";

const rooms = { draw, edit, train, understand };

function open() {
  const wanted = location.hash.slice(1);
  const name = wanted in rooms ? wanted : "draw";
  for (const [other, room] of Object.entries(rooms)) {
    const isOpen = other === name;
    byId(`room-${other}`).hidden = !isOpen;
    const link = document.querySelector(`.bar a[href="#${other}"]`);
    if (isOpen) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    if (!isOpen) room.leave?.();
  }
  document.title = `${name[0].toUpperCase()}${name.slice(1)} · ddpm4j studio`;
  rooms[name].enter?.();
}

addEventListener("hashchange", open);
for (const room of Object.values(rooms)) room.begin();
open();
