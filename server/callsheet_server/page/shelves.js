// Three shelves, engine memory, RAM and disk, and everybody's head on the one where their mind lies.
// A head slides when the mind moves.

import { TIERS, TIER_WORDS } from "./format.js";
import { People } from "./people.js";

const LABEL_PX = 146; // "in engine memory", and a gap
const NARROW_PX = 600; // below which labels stand over their shelf
const HEAD_PX = 30; // from one head to the next, where there is room
const TOLD_EVERY_MS = 1000;
const SLIDES_PER_S = 5; // the part of the way that is left shrinks by e in 1/5 s

export class Shelves {
  constructor(canvas, world) {
    this._canvas = canvas;
    this._context = canvas.getContext("2d");
    this._world = world;
    this._people = new People();
    this._heads = new Map(); // id -> {npc, tier, arrival, x, y, isSliding}
    this._arrivals = 0;
    this._toldMs = -Infinity;
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (this._ratio = null));
  }

  draw(nowMs, dtS) {
    const ratio = Math.min(devicePixelRatio, 2);
    const [width, height] = [this._canvas.clientWidth, this._canvas.clientHeight];
    if (ratio !== this._ratio) this._readColours(ratio);
    if (this._canvas.width !== Math.round(width * ratio)) this._canvas.width = Math.round(width * ratio);
    if (this._canvas.height !== Math.round(height * ratio)) this._canvas.height = Math.round(height * ratio);
    this._context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this._context.clearRect(0, 0, width, height);
    const shelves = this._sort();
    const tiers = TIERS.filter((tier) => tier !== "absent" || shelves.get(tier).length > 0);
    const high = height / tiers.length;
    tiers.forEach((tier, row) => this._drawShelf(tier, shelves.get(tier), { row, high, width, dtS }));
    if (nowMs - this._toldMs > TOLD_EVERY_MS) {
      this._toldMs = nowMs;
      const words = tiers.map((tier) => `${shelves.get(tier).length} ${TIER_WORDS[tier]}`);
      this._canvas.setAttribute("aria-label", `Where their minds are: ${words.join(", ")}`);
    }
  }

  /** Tier -> heads, in the order in which they came. */
  _sort() {
    const shelves = new Map(TIERS.map((tier) => [tier, []]));
    for (const id of this._heads.keys()) {
      if (!this._world.npcs.has(id)) this._heads.delete(id);
    }
    for (const npc of this._world.npcs.values()) {
      let head = this._heads.get(npc.id);
      if (!head) this._heads.set(npc.id, (head = {}));
      if (head.tier !== npc.tier) {
        head.tier = npc.tier;
        head.arrival = this._arrivals++;
      }
      head.npc = npc;
      shelves.get(npc.tier).push(head);
    }
    for (const heads of shelves.values()) heads.sort((a, b) => a.arrival - b.arrival);
    return shelves;
  }

  _drawShelf(tier, heads, { row, high, width, dtS }) {
    const context = this._context;
    const board = (row + 1) * high - 12;
    context.fillStyle = this._colours[tier];
    const isNarrow = width < NARROW_PX;
    const left = isNarrow ? 0 : LABEL_PX;
    context.fillRect(left, board, width - left, 4);
    context.font = "600 13px system-ui, sans-serif";
    context.fillText(TIER_WORDS[tier], 0, board - (isNarrow ? 42 : 14));
    context.font = "12px system-ui, sans-serif";
    context.fillStyle = this._colours.faint;
    const told = heads.length === 1 ? "1 mind" : `${heads.length} minds`;
    context.fillText(told, isNarrow ? LABEL_PX : 0, board - (isNarrow ? 42 : -4));
    const apart = Math.min(HEAD_PX, (width - left - HEAD_PX) / Math.max(heads.length - 1, 1));
    const ease = 1 - Math.exp(-dtS * SLIDES_PER_S);
    heads.forEach((head, place) => {
      const [x, y] = [left + HEAD_PX / 2 + place * apart, board - 1];
      head.isSliding = Math.abs(y - head.y) > 1;
      head.x = head.x === undefined ? x : head.x + (x - head.x) * ease;
      head.y = head.y === undefined ? y : head.y + (y - head.y) * ease;
      if (head.npc.said?.untilMs === Infinity) this._drawSpeaking(head);
      this._people.drawFigure(context, head.npc, head.x, head.y, 1);
    });
  }

  /** Somebody who is answering right now. */
  _drawSpeaking({ x, y }) {
    this._context.beginPath();
    this._context.arc(x, y - 17, 17, 0, 2 * Math.PI);
    this._context.fillStyle = this._colours.accent;
    this._context.globalAlpha = 0.35;
    this._context.fill();
    this._context.globalAlpha = 1;
  }

  _readColours(ratio) {
    this._ratio = ratio;
    const style = getComputedStyle(document.documentElement);
    this._colours = Object.fromEntries(
      [...TIERS, "faint", "accent"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
    );
    this._people.readColours(style, ratio);
  }
}
