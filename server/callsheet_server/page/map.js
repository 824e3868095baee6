// Draws the town: its ground, its people, and where their minds lie. What is drawn for everybody
// costs one image copy each; what costs more is drawn for a few.

import { Ground } from "./ground.js";
import { People, RING_PX, figureBox } from "./people.js";
import { FLASH_MS } from "./world.js";
import { Words } from "./words.js";

const CROWD_SCALE = 4.5; // pixels a metre, below which people are dots
const STEP_PX = 2.2; // up and down again
const PULSES = 2; // when a mind arrives on the GPU
const TAP_PX = 6; // beside a figure
const DOT_PX = { left: -8, right: 8, top: -14, bottom: 8 }; // of a crowd, to be hit
const LOOK_MS = 250; // between two looks at what lies over the map

export class TownMap {
  constructor(canvas, { world, guest, camera, daylight }) {
    this._canvas = canvas;
    this._context = canvas.getContext("2d", { alpha: false });
    this._world = world;
    this._guest = guest;
    this._camera = camera;
    this._daylight = daylight;
    this._people = new People();
    this._covered = [];
    this._lookedMs = -Infinity;
    this.ground = new Ground(world);
    this.words = new Words(world);
    new ResizeObserver(() => this._resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this._readColours());
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    still.addEventListener("change", () => (this.words.still = still.matches));
    this.words.still = still.matches;
    this._resize();
  }

  set hovered(npc) {
    this.words.hovered = npc;
  }

  /** The NPC under the pointer, or null. */
  npcAt(x, y) {
    const isCrowd = this._camera.scale < CROWD_SCALE;
    const { left, right, top, bottom } = isCrowd ? DOT_PX : figureBox(this._camera.size);
    const isHit = ({ px, py }) =>
      x > px + left - TAP_PX &&
      x < px + right + TAP_PX &&
      y > py + top &&
      y < py + bottom + TAP_PX;
    const near = this._world.nearest(this._camera.toPlace(x, y - (top + bottom) / 2), 6);
    return near.find(isHit) ?? null;
  }

  draw(nowMs, dtS) {
    const [camera, context, world] = [this._camera, this._context, this._world];
    camera.aim(dtS);
    context.setTransform(this._ratio, 0, 0, this._ratio, 0, 0);
    this.ground.draw(context, camera);
    this.ground.drawNight(context, camera, this._daylight.darkness(world.gameTimeS));
    if (!camera.scale) return;
    if (nowMs - this._lookedMs > LOOK_MS) this._lookAtCovers(nowMs);
    const visible = this._place();
    const players = this._players();
    this._drawReach(visible);
    if (camera.scale < CROWD_SCALE) this._drawCrowd(visible, players);
    else this._drawPeople(visible, players, nowMs);
    this._drawPulses(visible, nowMs);
    this.words.draw(context, camera, visible, players, this._covered, nowMs);
  }

  /** Give every NPC its pixel; returns those in sight. */
  _place() {
    const visible = [];
    const { width, height } = this._camera;
    for (const npc of this._world.npcs.values()) {
      [npc.px, npc.py] = this._camera.toPixels(npc.x, npc.y);
      if (npc.px > -60 && npc.py > -60 && npc.px < width + 60 && npc.py < height + 60) visible.push(npc);
    }
    return visible;
  }

  /** Players in pixels; the one of this page is where its keys have brought it. */
  _players() {
    const players = [];
    for (const player of this._world.players.values()) {
      if (player.id === this._guest.id) continue;
      const [x, y] = this._camera.toPixels(player.x, player.y);
      players.push({ ...player, x, y, colour: "player", isYou: false });
    }
    if (!this._guest.id) return players;
    const [x, y] = this._camera.toPixels(...this._guest.place);
    const { id, isWalking } = this._guest;
    return [...players, { id, name: "You", x, y, colour: "accent", isYou: true, isWalking }];
  }

  // --- people --------------------------------------------------------------------------------

  _drawCrowd(visible, players) {
    const context = this._context;
    context.setTransform(1, 0, 0, 1, 0, 0); // whole pixels, unscaled: a plain copy
    for (const { px, py, tier } of visible) {
      const dot = this._people.dot(tier);
      const half = dot.width / 2;
      context.drawImage(dot, Math.round(px * this._ratio - half), Math.round(py * this._ratio - half));
    }
    context.setTransform(this._ratio, 0, 0, this._ratio, 0, 0);
    for (const player of players) {
      this._people.drawRing(context, player.colour, player.x, player.y, 1);
      this._people.drawFigure(context, player, player.x, player.y, 1);
    }
  }

  _drawPeople(visible, players, nowMs) {
    const standing = [
      ...visible.map((npc) => ({ who: npc, x: npc.px, y: npc.py, ring: npc.tier })),
      ...players.map((player) => ({ who: player, x: player.x, y: player.y, ring: player.colour })),
    ].sort((a, b) => a.y - b.y);
    const [context, { size }] = [this._context, this._camera];
    for (const { x, y, ring } of standing) this._people.drawRing(context, ring, x, y, size);
    for (const { who, x, y } of standing) {
      const isStepping = who.isWalking && !this.words.still;
      const step = isStepping ? Math.abs(Math.sin(nowMs / 140 + x / 9)) * STEP_PX : 0;
      this._people.drawFigure(context, who, x, y - step * size, size);
    }
  }

  /** How near one has to come to those who are chosen. */
  _drawReach(visible) {
    const context = this._context;
    for (const npc of visible) {
      const isSelected = npc.id === this._world.selected;
      if (!isSelected && npc.id !== this.words.hovered) continue;
      context.beginPath();
      context.arc(npc.px, npc.py, Math.max(npc.radiusM * this._camera.scale, 1.4 * RING_PX[0] * this._camera.size), 0, 2 * Math.PI);
      context.fillStyle = context.strokeStyle = this._colours.accent;
      context.globalAlpha = 0.1;
      context.fill();
      context.globalAlpha = isSelected ? 1 : 0.6;
      context.lineWidth = 1.5;
      context.setLineDash([5, 4]);
      context.stroke();
      context.setLineDash([]);
      context.globalAlpha = 1;
    }
  }

  _drawPulses(visible, nowMs) {
    const context = this._context;
    const { size } = this._camera;
    context.strokeStyle = this._colours.device;
    context.lineWidth = 2.5;
    for (const npc of visible) {
      const age = (nowMs - npc.arrivedMs) / FLASH_MS;
      if (age >= 1) continue;
      const beat = (age * PULSES) % 1;
      context.globalAlpha = (1 - beat) * (1 - age / 2);
      context.beginPath();
      context.ellipse(npc.px, npc.py, ...RING_PX.map((half) => half * size * (1 + 1.4 * beat)), 0, 0, 2 * Math.PI);
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  // --- sizes and colours ---------------------------------------------------------------------

  /** Boxes of what the page shows over the map; no words go there. */
  _lookAtCovers(nowMs) {
    this._lookedMs = nowMs;
    const { left, top } = this._canvas.getBoundingClientRect();
    this._covered = [...this._canvas.parentElement.children]
      .filter((element) => element !== this._canvas && !element.hidden)
      .map((element) => element.getBoundingClientRect())
      .filter(({ width }) => width > 0)
      .map((box) => [box.left - left, box.top - top, box.right - left, box.bottom - top]);
  }

  _resize() {
    const before = this._ratio;
    this._ratio = Math.min(devicePixelRatio, 2);
    const { clientWidth: width, clientHeight: height } = this._canvas;
    this._camera.resize(width, height);
    this._canvas.width = Math.round(width * this._ratio);
    this._canvas.height = Math.round(height * this._ratio);
    this._lookedMs = -Infinity;
    if (this._ratio !== before) this._readColours();
  }

  _readColours() {
    const style = getComputedStyle(document.documentElement);
    this._colours = Object.fromEntries(
      ["accent", "device"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
    );
    this.ground.readColours(style);
    this.words.readColours(style);
    this._people.readColours(style, this._ratio);
  }
}
