// Draws the town. Everything that many share is drawn in one go: a sprite per tier, one path for
// all rings. What costs more, text, is drawn for a few: near the player, talking, or selected.

import { TIERS, distance } from "./format.js";
import { FLASH_MS } from "./world.js";

const DOT_PX = 5.5;
const CROWD_DOT_PX = 3.5;
const CROWD_SCALE = 3; // pixels a metre, below which dots are small
const MAX_LABELS = 26;
const MAX_BUBBLES = 12;
const BUBBLE_WIDTH_PX = 210;
const BUBBLE_LINES = 5;
const LINE_PX = 16;
const FOLLOW_WIDTH_M = 60;
const MAX_SCALE = 60; // pixels a metre
const FONT = "system-ui, sans-serif";

export class TownMap {
  constructor(canvas, world, guest) {
    this._canvas = canvas;
    this._context = canvas.getContext("2d", { alpha: false });
    this._world = world;
    this._guest = guest;
    this.hovered = null; // id of an NPC
    this._zoom = 1; // of the following camera
    this.fitted = true; // all in sight, or following the player
    this._scale = 0;
    this._centre = [0, 0];
    new ResizeObserver(() => this._resize()).observe(canvas);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this._readColours());
    this._resize();
  }

  // --- the camera ----------------------------------------------------------------------------

  follow() {
    this.fitted = false;
  }

  zoomBy(factor) {
    if (this.fitted) this._zoom = Math.max(this._scale / this._followScale(), 0.05);
    this.fitted = false;
    this._zoom = Math.min(Math.max(this._zoom * factor, 0.05), MAX_SCALE / this._followScale());
  }

  /** Canvas pixels (of CSS) -> place on the map. */
  toPlace(x, y) {
    const [cx, cy] = this._centre;
    return [cx + (x - this._width / 2) / this._scale, cy - (y - this._height / 2) / this._scale];
  }

  toPixels(x, y) {
    const [cx, cy] = this._centre;
    return [this._width / 2 + (x - cx) * this._scale, this._height / 2 - (y - cy) * this._scale];
  }

  /** The NPC under the pointer, or null. */
  npcAt(x, y) {
    const [npc] = this._world.nearest(this.toPlace(x, y), 1);
    return npc && npc.awayM * this._scale <= 14 ? npc : null;
  }

  _followScale() {
    return this._width / FOLLOW_WIDTH_M;
  }

  _aim(dtS) {
    let scale = this._followScale() * this._zoom;
    let centre = this._guest.place;
    const box = this._world.bounds();
    if ((this.fitted || !this._guest.id) && box) {
      centre = [(box.left + box.right) / 2, (box.bottom + box.top) / 2];
      const wide = this._width / (box.right - box.left + 8);
      scale = Math.min(wide, this._height / (box.top - box.bottom + 8), this._followScale());
    }
    if (!centre) return;
    const ease = this._scale ? 1 - Math.exp(-dtS * 9) : 1;
    this._scale += (scale - this._scale) * ease;
    this._centre = this._centre.map((value, axis) => value + (centre[axis] - value) * ease);
  }

  // --- a frame -------------------------------------------------------------------------------

  draw(nowMs, dtS) {
    this._aim(dtS);
    const context = this._context;
    context.setTransform(this._ratio, 0, 0, this._ratio, 0, 0);
    context.fillStyle = this._colours.ground;
    context.fillRect(0, 0, this._width, this._height);
    if (!this._scale) return;
    this._drawGrid();
    const visible = this._place();
    this._drawRings(visible);
    this._drawDots(visible, nowMs);
    this._drawLabels(visible);
    this._drawPlayers();
    this._drawBubbles(visible, nowMs);
    this._drawGuest();
  }

  /** Give every NPC its pixel; returns those in sight. */
  _place() {
    const visible = [];
    const [cx, cy] = this._centre;
    for (const npc of this._world.npcs.values()) {
      npc.px = this._width / 2 + (npc.x - cx) * this._scale;
      npc.py = this._height / 2 - (npc.y - cy) * this._scale;
      if (npc.px > -60 && npc.py > -60 && npc.px < this._width + 60 && npc.py < this._height + 60) {
        visible.push(npc);
      }
    }
    return visible;
  }

  _drawGrid() {
    const context = this._context;
    const stepM = [2, 5, 10, 20, 50, 100, 200, 500, 1000].find((m) => m * this._scale >= 48) ?? 5000;
    const [left, top] = this.toPlace(0, 0);
    const [right, bottom] = this.toPlace(this._width, this._height);
    context.beginPath();
    for (let x = Math.ceil(left / stepM) * stepM; x <= right; x += stepM) {
      const px = Math.round(this.toPixels(x, 0)[0]) + 0.5;
      context.moveTo(px, 0);
      context.lineTo(px, this._height);
    }
    for (let y = Math.ceil(bottom / stepM) * stepM; y <= top; y += stepM) {
      const py = Math.round(this.toPixels(0, y)[1]) + 0.5;
      context.moveTo(0, py);
      context.lineTo(this._width, py);
    }
    context.strokeStyle = this._colours.grid;
    context.lineWidth = 1;
    context.stroke();
    this._drawScale(stepM);
  }

  _drawScale(stepM) {
    const context = this._context;
    const [x, y] = [this._width - 16, this._height - 16];
    context.beginPath();
    context.moveTo(x - stepM * this._scale, y - 5);
    context.lineTo(x - stepM * this._scale, y);
    context.lineTo(x, y);
    context.lineTo(x, y - 5);
    context.strokeStyle = context.fillStyle = this._colours.faint;
    context.stroke();
    context.font = `11px ${FONT}`;
    context.textAlign = "right";
    context.fillText(`${stepM} m`, x, y - 8);
  }

  _drawRings(visible) {
    const context = this._context;
    const large = visible.filter((npc) => npc.radiusM * this._scale > DOT_PX + 3);
    for (const tier of TIERS) {
      const rings = circles(large.filter((npc) => npc.tier === tier && !npc.talking), this._scale);
      context.globalAlpha = 0.09;
      context.fillStyle = this._colours[tier];
      context.fill(rings);
      context.globalAlpha = 0.45;
      context.lineWidth = 1;
      context.strokeStyle = this._colours[tier];
      context.stroke(rings);
    }
    const talking = circles(visible.filter((npc) => npc.talking), this._scale);
    context.globalAlpha = 0.1;
    context.fillStyle = context.strokeStyle = this._colours.accent;
    context.fill(talking);
    context.globalAlpha = 1;
    context.lineWidth = 1.5;
    context.stroke(talking);
  }

  _drawDots(visible, nowMs) {
    const context = this._context;
    const ratio = this._ratio;
    const sprites = this._scale < CROWD_SCALE ? this._crowdSprites : this._sprites;
    context.setTransform(1, 0, 0, 1, 0, 0); // whole pixels, unscaled: a plain copy
    for (const npc of visible) {
      const sprite = sprites[npc.tier];
      const half = sprite.width / 2;
      context.drawImage(sprite, Math.round(npc.px * ratio - half), Math.round(npc.py * ratio - half));
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    for (const npc of visible) {
      const age = (nowMs - npc.tierChangedMs) / FLASH_MS;
      if (age >= 1) continue;
      context.beginPath();
      context.arc(npc.px, npc.py, DOT_PX * (1 + 1.8 * age), 0, 2 * Math.PI);
      context.globalAlpha = 1 - age;
      context.strokeStyle = this._colours[npc.tier];
      context.lineWidth = 2;
      context.stroke();
      context.globalAlpha = 1;
    }
    const selected = this._world.selectedNpc;
    if (!selected) return;
    context.beginPath();
    context.arc(selected.px, selected.py, DOT_PX + 4.5, 0, 2 * Math.PI);
    context.strokeStyle = this._colours.text;
    context.lineWidth = 2;
    context.stroke();
  }

  _drawPlayers() {
    for (const player of this._world.players.values()) {
      if (player.id === this._guest.id) continue;
      const [x, y] = this.toPixels(player.x, player.y);
      this._drawFigure(x, y, Math.PI / 2, this._colours.player, 6);
      this._label(player.name, x, y - 12, this._colours.player);
    }
  }

  _drawGuest() {
    if (!this._guest.id) return;
    const [x, y] = this.toPixels(...this._guest.place);
    this._drawFigure(x, y, this._guest.heading, this._colours.accent, 10);
    this._label("You", x, y - 16, this._colours.accent, "600 ");
  }

  /** An arrow head that points where somebody goes. */
  _drawFigure(x, y, heading, colour, size) {
    const context = this._context;
    context.save();
    context.translate(x, y);
    context.rotate(-heading);
    context.beginPath();
    context.moveTo(size, 0);
    context.lineTo(-0.75 * size, 0.75 * size);
    context.lineTo(-0.35 * size, 0);
    context.lineTo(-0.75 * size, -0.75 * size);
    context.closePath();
    context.fillStyle = colour;
    context.strokeStyle = this._colours.ground;
    context.lineWidth = 2;
    context.stroke();
    context.fill();
    context.restore();
  }

  // --- words ---------------------------------------------------------------------------------

  _drawLabels(visible) {
    const named = visible.filter((npc) => npc.talking || this._isChosen(npc));
    const from = this._guest.id ? this._guest.place : this._centre;
    if (this._scale > 6) {
      const near = visible.map((npc) => [Math.hypot(npc.x - from[0], npc.y - from[1]), npc]);
      near.sort((a, b) => a[0] - b[0]);
      named.push(...near.slice(0, MAX_LABELS).map(([, npc]) => npc));
    }
    const taken = [];
    for (const npc of new Set(named.sort((a, b) => this._isChosen(b) - this._isChosen(a)))) {
      const box = [npc.px - 62, npc.py + 8, npc.px + 62, npc.py + 38];
      if (taken.length && !this._isChosen(npc) && taken.some((other) => overlap(box, other))) continue;
      taken.push(box);
      this._label(npc.name, npc.px, npc.py + 20, this._colours.text, "600 ");
      const why = npc.estimator ? ` · ${npc.estimator}` : "";
      this._label(`${distance(npc.distanceS)}${why}`, npc.px, npc.py + 34, this._colours.faint);
    }
  }

  _drawBubbles(visible, nowMs) {
    const speaking = visible.filter((npc) => npc.said?.text && npc.said.untilMs > nowMs);
    this._context.textAlign = "left";
    speaking.sort((a, b) => this._isChosen(b) - this._isChosen(a) || b.said.since - a.said.since);
    const taken = [];
    for (const npc of speaking.slice(0, MAX_BUBBLES)) {
      const box = this._bubbleBox(npc);
      if (taken.some((other) => overlap(box, other))) continue;
      taken.push(box);
      this._drawBubble(npc, box);
    }
  }

  _isChosen(npc) {
    return npc.id === this._world.selected || npc.id === this.hovered;
  }

  _label(text, x, y, colour, weight = "") {
    const context = this._context;
    context.font = `${weight}12px ${FONT}`;
    context.textAlign = "center";
    context.lineWidth = 3;
    context.lineJoin = "round";
    context.strokeStyle = this._colours.ground;
    context.strokeText(text, x, y);
    context.fillStyle = colour;
    context.fillText(text, x, y);
  }

  /** [left, top, right, bottom] in pixels. */
  _bubbleBox(npc) {
    const context = this._context;
    context.font = `13px ${FONT}`;
    const said = npc.said;
    if (said.lines === undefined) {
      said.lines = wrap(context, said.text, BUBBLE_WIDTH_PX).slice(-BUBBLE_LINES);
      said.width = Math.max(...said.lines.map((line) => context.measureText(line).width));
    }
    const width = said.width + 20;
    const height = said.lines.length * LINE_PX + 12;
    const left = Math.min(Math.max(npc.px - width / 2, 6), this._width - width - 6);
    const top = Math.max(npc.py - DOT_PX - 14 - height, 6);
    return [left, top, left + width, top + height];
  }

  _drawBubble(npc, [left, top, right, bottom]) {
    const context = this._context;
    context.beginPath();
    context.roundRect(left, top, right - left, bottom - top, 9);
    context.moveTo(npc.px - 6, bottom - 0.5);
    context.lineTo(npc.px, bottom + 8);
    context.lineTo(npc.px + 6, bottom - 0.5);
    context.fillStyle = this._colours.bubble;
    context.strokeStyle = this._colours.outline;
    context.lineWidth = 1;
    context.stroke();
    context.fill();
    context.fillStyle = this._colours.text;
    npc.said.lines.forEach((line, row) => context.fillText(line, left + 10, top + 19 + row * LINE_PX));
  }

  // --- sizes and colours ---------------------------------------------------------------------

  _resize() {
    this._ratio = Math.min(devicePixelRatio, 2);
    this._width = this._canvas.clientWidth;
    this._height = this._canvas.clientHeight;
    this._canvas.width = Math.round(this._width * this._ratio);
    this._canvas.height = Math.round(this._height * this._ratio);
    this._readColours();
  }

  _readColours() {
    const style = getComputedStyle(document.documentElement);
    const names = ["ground", "grid", "text", "faint", "accent", "player", "bubble", "outline"];
    this._colours = {};
    for (const name of [...names, ...TIERS]) {
      this._colours[name] = style.getPropertyValue(`--${name}`).trim();
    }
    this._sprites = {};
    this._crowdSprites = {};
    for (const tier of TIERS) {
      this._sprites[tier] = this._sprite(tier, DOT_PX);
      this._crowdSprites[tier] = this._sprite(tier, CROWD_DOT_PX);
    }
  }

  /** Tiers differ in shape as well as in colour: disc, square, diamond, circle. */
  _sprite(tier, r) {
    const size = Math.ceil((2 * r + 4) * this._ratio);
    const sprite = new OffscreenCanvas(size, size);
    const context = sprite.getContext("2d");
    context.translate(size / 2, size / 2);
    context.scale(this._ratio, this._ratio);
    context.beginPath();
    if (tier === "host") context.roundRect(-0.84 * r, -0.84 * r, 1.68 * r, 1.68 * r, 2);
    else if (tier === "disk") {
      context.rotate(Math.PI / 4);
      context.rect(-0.76 * r, -0.76 * r, 1.52 * r, 1.52 * r);
    } else context.arc(0, 0, tier === "absent" ? 0.7 * r : r, 0, 2 * Math.PI);
    context.lineWidth = tier === "absent" ? 2 : 3;
    context.strokeStyle = tier === "absent" ? this._colours.absent : this._colours.ground;
    context.stroke();
    context.fillStyle = tier === "absent" ? this._colours.ground : this._colours[tier];
    context.fill();
    return sprite.transferToImageBitmap();
  }
}

function circles(npcs, scale) {
  const path = new Path2D();
  for (const npc of npcs) {
    const radius = Math.max(npc.radiusM * scale, DOT_PX + 3);
    path.moveTo(npc.px + radius, npc.py);
    path.arc(npc.px, npc.py, radius, 0, 2 * Math.PI);
  }
  return path;
}

function overlap(a, b) {
  return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
}

function wrap(context, text, width) {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (context.measureText(longer).width <= width || !lines.at(-1)) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
