// The news of the town, where nobody is talked to: what people say and do, whose mind moves where,
// and what the game does with time: saves, loads, a clock that goes back.

import { TIER_WORDS, deed } from "./format.js";

const MAX_ENTRIES = 40;
const MOVES_EVERY_MS = 2500; // lines about minds, at most
const NAMES_TOLD = 3;

export class Feed {
  /** `clock`: game time in seconds as a time of day. */
  constructor(list, world, clock) {
    this._list = list;
    this._world = world;
    this._clock = clock;
    this._arrived = new Map(); // id -> where from
    this._toldMs = -Infinity;
  }

  clear() {
    this._list.replaceChildren();
    this._arrived.clear();
  }

  takeReplyEnd(message) {
    if (!message.text) return;
    this._add("said", this._name(message.npc), message.text);
  }

  takeAction(message) {
    this._add("acts", this._name(message.npc), `wants to ${deed(message)}`);
  }

  takeSaved({ name, time_s: timeS }) {
    this._add("saved", "The game", `saved “${name}” at ${this._clock(timeS)}`);
  }

  takeLoaded({ name, time_s: timeS }) {
    if (this._list.firstElementChild?.className === "rewound") this._list.firstElementChild.remove();
    this._add("loaded", "The game", `went back to “${name}”: it is ${this._clock(timeS)} again`);
  }

  takeTime(beforeS, nowS) {
    if (nowS < beforeS) this._add("rewound", "The clock", `went back to ${this._clock(nowS)}`);
  }

  takeMoves(message, nowMs) {
    for (const { kind, key, source, target, error } of message.moves) {
      if (kind === "prefix" && target === "device" && !error) this._arrived.set(key, source);
    }
    if (this._arrived.size === 0 || nowMs - this._toldMs < MOVES_EVERY_MS) return;
    this._toldMs = nowMs;
    const names = [...this._arrived.keys()].map((id) => this._name(id));
    const [source] = this._arrived.values();
    const told = names.slice(0, NAMES_TOLD).join(", ");
    const more = names.length > NAMES_TOLD ? ` and ${names.length - NAMES_TOLD} more` : "";
    const from = names.length === 1 ? `, was ${TIER_WORDS[source]}` : "";
    this._add("moved", `${told}${more}`, `ready in engine memory${from}`);
    this._arrived.clear();
  }

  _name(id) {
    return this._world.npcs.get(id)?.name ?? id;
  }

  _add(kind, who, text) {
    const item = document.createElement("li");
    item.className = kind;
    const head = document.createElement("b");
    head.textContent = who;
    item.append(head, ` ${text}`);
    this._list.prepend(item);
    if (this._list.children.length > MAX_ENTRIES) this._list.lastElementChild.remove();
  }
}
