// The list of who is near: to read, to hear from a screen reader, and to go to by keyboard or tap.

import { TIER_WORDS } from "./format.js";

const SHOWN = 5;
const EVERY_MS = 1000;

export class Nearby {
  /** @param {(npc: object) => void} onChoose called with an NPC whose button was pressed */
  constructor(list, world, guest, onChoose) {
    this._list = list;
    this._world = world;
    this._guest = guest;
    this._drawnMs = -Infinity;
    list.addEventListener("click", (event) => {
      const npc = world.npcs.get(event.target.closest("button")?.dataset.npc);
      if (npc) onChoose(npc);
    });
  }

  update(nowMs) {
    // Nothing moves under somebody's finger or focus.
    const isInUse = this._list.matches(":hover, :focus-within");
    if (nowMs - this._drawnMs < EVERY_MS || isInUse) return;
    this._drawnMs = nowMs;
    const near = this._guest.place ? this._world.nearest(this._guest.place, SHOWN) : [];
    while (this._list.children.length > near.length) this._list.lastElementChild.remove();
    while (this._list.children.length < near.length) this._list.append(this._item());
    near.forEach((npc, index) => {
      const button = this._list.children[index].firstElementChild;
      button.dataset.npc = npc.id;
      button.dataset.tier = npc.tier;
      const texts = [npc.name, ` ${npc.awayM.toFixed(0)} m, mind ${TIER_WORDS[npc.tier]}`];
      texts.forEach((text, part) => (button.children[part].textContent = text));
    });
  }

  _item() {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.append(document.createElement("b"), document.createElement("small"));
    item.append(button);
    return item;
  }
}
