// The ground of the town, painted once and then copied; lights and darkness over it.

import { dice, hash } from "./chance.js";
import { cleared, layOut } from "./layout.js";

const MAX_SIDE_PX = 2600; // of the painting
const MAX_SCALE = 14; // pixels a metre in it
const OUTGROWN_M = 25; // beyond the painting's town, before it is painted anew
const CLEARED_EVERY_MS = 1000;
const GLOW_M = 6;
const COLOURS = [
  "grass", "meadow", "path", "kerb", "paving", "water", "shore", "leaf", "leaf-light", "shade",
  "roof-1", "roof-2", "roof-3", "night",
];

export class Ground {
  constructor(world) {
    this._world = world;
    this._town = null;
    this._box = null; // around everybody when it was laid out
    this._picture = null;
    this._clearedMs = -Infinity;
  }

  readColours(style) {
    this._colours = Object.fromEntries(
      COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
    );
    this._glow = glow();
    if (this._town) this._paint();
  }

  /** Lay the town out, once all its people are known, and again if they have left it. */
  settle(name) {
    const box = this._world.bounds();
    if (!this._world.complete || !box || (this._box && !outgrown(this._box, box))) return;
    this._box = box;
    this._town = layOut(name, [...this._world.npcs.values()], box);
    this._paint();
  }

  /** Houses give way to people who walk through them: they are the page's, the people the game's. */
  giveWay(nowMs) {
    if (!this._town || nowMs - this._clearedMs < CLEARED_EVERY_MS) return;
    this._clearedMs = nowMs;
    const town = cleared(this._town, [...this._world.npcs.values()]);
    if (town === this._town) return;
    this._town = town;
    this._paint();
  }

  clear() {
    this._town = this._box = this._picture = null;
  }

  draw(context, camera) {
    context.fillStyle = this._colours.grass;
    context.fillRect(0, 0, camera.width, camera.height);
    if (!this._picture) return;
    const { outer } = this._town;
    const [left, top] = camera.toPixels(outer.left, outer.top);
    const scale = camera.scale / this._scale;
    const from = [Math.max(-left / scale, 0), Math.max(-top / scale, 0)];
    const to = [
      Math.min((camera.width - left) / scale, this._picture.width),
      Math.min((camera.height - top) / scale, this._picture.height),
    ];
    const [width, height] = [to[0] - from[0], to[1] - from[1]];
    if (width <= 0 || height <= 0) return;
    const at = [left + from[0] * scale, top + from[1] * scale];
    context.drawImage(this._picture, ...from, width, height, ...at, width * scale, height * scale);
  }

  drawNight(context, camera, darkness) {
    if (darkness <= 0.02 || !this._town) return;
    context.globalAlpha = darkness;
    context.fillStyle = this._colours.night;
    context.fillRect(0, 0, camera.width, camera.height);
    context.globalAlpha = 0.75 * darkness;
    context.globalCompositeOperation = "lighter";
    for (const lamp of [...this._town.places, ...this._town.houses]) {
      const size = 2 * GLOW_M * camera.scale * (lamp.radiusM ? 1.6 : 1);
      const [x, y] = camera.toPixels(lamp.x, lamp.y);
      if (x < -size || y < -size || x > camera.width + size || y > camera.height + size) continue;
      context.drawImage(this._glow, x - size / 2, y - size / 2, size, size);
    }
    context.globalCompositeOperation = "source-over";
    context.globalAlpha = 1;
  }

  // --- the painting --------------------------------------------------------------------------

  _paint() {
    const { outer } = this._town;
    const [wideM, highM] = [outer.right - outer.left, outer.top - outer.bottom];
    this._scale = Math.min(MAX_SCALE, MAX_SIDE_PX / Math.max(wideM, highM));
    const canvas = new OffscreenCanvas(Math.ceil(wideM * this._scale), Math.ceil(highM * this._scale));
    const context = canvas.getContext("2d", { alpha: false });
    context.fillStyle = this._colours.grass;
    context.fillRect(0, 0, canvas.width, canvas.height);
    // From here on in metres, y up.
    context.setTransform(this._scale, 0, 0, -this._scale, -outer.left * this._scale, outer.top * this._scale);
    this._paintMeadow(context);
    this._paintWater(context);
    this._paintPaths(context);
    for (const house of this._town.houses) this._paintHouse(context, house);
    for (const tree of this._town.trees) this._paintTree(context, tree);
    this._picture = canvas.transferToImageBitmap();
  }

  _paintMeadow(context) {
    const { outer } = this._town;
    const roll = dice(hash("meadow"));
    context.fillStyle = this._colours.meadow;
    const patches = 240;
    for (let patch = 0; patch < patches; patch++) {
      const x = outer.left + roll() * (outer.right - outer.left);
      const y = outer.bottom + roll() * (outer.top - outer.bottom);
      context.globalAlpha = 0.25 + 0.3 * roll();
      ellipse(context, x, y, 2 + 7 * roll(), 1 + 3 * roll(), roll());
      context.fill();
    }
    context.globalAlpha = 1;
  }

  _paintWater(context) {
    const { pond } = this._town;
    if (!pond) return;
    for (const [colour, more] of [["shore", 0.9], ["water", 0]]) {
      context.fillStyle = this._colours[colour];
      ellipse(context, pond.x, pond.y, pond.radiusM * 1.2 + more, pond.radiusM * 0.8 + more, 0.3);
      context.fill();
    }
  }

  _paintPaths(context) {
    const { paths, places } = this._town;
    context.lineCap = context.lineJoin = "round";
    for (const [colour, more] of [["kerb", 0.5], ["path", 0]]) {
      context.strokeStyle = context.fillStyle = this._colours[colour];
      context.lineWidth = 2.2 + more;
      for (const path of paths) {
        context.beginPath();
        for (const { x, y } of path) context.lineTo(x, y);
        context.stroke();
      }
      for (const { x, y, radiusM } of places) {
        ellipse(context, x, y, radiusM + more / 2, radiusM + more / 2, 0);
        context.fill();
      }
    }
    context.strokeStyle = this._colours.paving;
    context.lineWidth = 0.18;
    for (const { x, y, radiusM } of places) {
      for (let r = 1.4; r < radiusM; r += 1.4) {
        ellipse(context, x, y, r, r, 0);
        context.stroke();
      }
    }
  }

  _paintHouse(context, { x, y, wideM, deepM, turn, roof }) {
    const colour = this._colours[`roof-${1 + Math.floor(roof * 3)}`];
    context.save();
    context.translate(x, y);
    context.rotate(turn);
    context.fillStyle = this._colours.shade;
    context.fillRect(-wideM / 2 + 0.5, -deepM / 2 - 0.5, wideM, deepM);
    context.fillStyle = colour;
    context.fillRect(-wideM / 2, -deepM / 2, wideM, deepM);
    context.fillStyle = this._colours.shade; // the side away from the sun
    context.fillRect(-wideM / 2, -deepM / 2, wideM, deepM / 2);
    context.fillRect(-wideM / 2, -0.08, wideM, 0.16);
    context.fillStyle = this._colours.kerb;
    context.fillRect(wideM / 4, deepM / 5, 0.7, 0.7);
    context.restore();
  }

  _paintTree(context, { x, y, radiusM, shade }) {
    const crowns = [
      ["shade", 0.35, -0.35, 1],
      ["leaf", 0, 0, 1],
      ["leaf-light", -0.2 * radiusM, 0.25 * radiusM, 0.45 + 0.25 * shade],
    ];
    for (const [colour, dx, dy, part] of crowns) {
      context.fillStyle = this._colours[colour];
      ellipse(context, x + dx, y + dy, radiusM * part, radiusM * part, 0);
      context.fill();
    }
  }
}

function ellipse(context, x, y, wide, high, turn) {
  context.beginPath();
  context.ellipse(x, y, wide, high, turn, 0, 2 * Math.PI);
}

function outgrown(old, box) {
  return (
    box.left < old.left - OUTGROWN_M ||
    box.right > old.right + OUTGROWN_M ||
    box.bottom < old.bottom - OUTGROWN_M ||
    box.top > old.top + OUTGROWN_M
  );
}

/** A lamp's light. */
function glow() {
  const size = 128;
  const canvas = new OffscreenCanvas(size, size);
  const context = canvas.getContext("2d");
  const light = context.createRadialGradient(size / 2, size / 2, 0, size / 2, size / 2, size / 2);
  light.addColorStop(0, "rgb(255 190 90 / 0.55)");
  light.addColorStop(1, "rgb(255 190 90 / 0)");
  context.fillStyle = light;
  context.fillRect(0, 0, size, size);
  return canvas.transferToImageBitmap();
}
