// Little people with their initials, and the ring at their feet that tells where their mind lies.
// Every figure is painted once; a frame copies it.

import { hash } from "./chance.js";
import { TIERS } from "./format.js";

export const RING_PX = [15, 8.5]; // half of its width, half of its height
const FIGURE_PX = { left: -12, right: 12, top: -33, bottom: 10 }; // around the feet
const RING_EDGE_PX = 3; // room for its line
const IMAGE_PX = [28, 36]; // of a figure
const FEET_PX = [14, 32]; // in the image
const LARGEST = 1.5; // times these sizes: so sharp is the image
const SKIN = ["#f2cfae", "#e0ac7e", "#c68a5a", "#9c6740", "#6d4528"];
const HAIR = ["#4d3b33", "#6b4226", "#a86a32", "#c9a35a", "#8a8a8a", "#7c2f24"];
const COATS = ["#3d6fa5", "#9a4b3c", "#4d7d4a", "#7a5596", "#b07a2a", "#2f7f80", "#a14b73", "#5b6472"];
const MAX_FIGURES = 3000; // kept
const DASHES = { host: [7, 3], disk: [2.5, 3], absent: [1, 4] };

export class People {
  constructor() {
    this._figures = new Map(); // initials and looks -> image
  }

  readColours(style, ratio) {
    this._ratio = ratio;
    this._figures.clear();
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this._rings = Object.fromEntries(
      [...TIERS, "player", "accent"].map((name) => [name, this._ring(name, colour(name), colour("halo"))]),
    );
    this._dots = Object.fromEntries(TIERS.map((tier) => [tier, this._dot(tier, colour)]));
  }

  /** Of a tier, or of a player: player, accent. */
  drawRing(context, name, x, y, size) {
    const [width, height] = RING_PX.map((half) => 2 * (half + RING_EDGE_PX) * size);
    context.drawImage(this._rings[name], x - width / 2, y - height / 2, width, height);
  }

  /** Somebody whose feet are at [x, y]. */
  drawFigure(context, who, x, y, size) {
    const [left, top] = [x - FEET_PX[0] * size, y - FEET_PX[1] * size];
    context.drawImage(this._figure(who), left, top, IMAGE_PX[0] * size, IMAGE_PX[1] * size);
  }

  /** What stands for an NPC in a crowd seen from afar. */
  dot(tier) {
    return this._dots[tier];
  }

  _figure({ id, name }) {
    const key = `${id}\0${name}`;
    let image = this._figures.get(key);
    if (!image) {
      if (this._figures.size >= MAX_FIGURES) this._figures.clear();
      image = this._paint(initials(name), hash(id));
      this._figures.set(key, image);
    }
    return image;
  }

  _paint(letters, look) {
    const [canvas, context] = this._canvas(...IMAGE_PX);
    context.translate(...FEET_PX);
    const coat = COATS[look % COATS.length];
    context.fillStyle = "#2b2b2f";
    context.fillRect(-5, -4, 4, 5);
    context.fillRect(1, -4, 4, 5);
    context.beginPath();
    context.moveTo(-10, -2);
    context.quadraticCurveTo(-10, -17, 0, -17);
    context.quadraticCurveTo(10, -17, 10, -2);
    context.closePath();
    context.fillStyle = coat;
    context.strokeStyle = "rgb(20 20 25 / 0.55)";
    context.lineWidth = 1;
    context.fill();
    context.stroke();
    disc(context, 0, -21.5, 7, SKIN[(look >>> 4) % SKIN.length]);
    context.stroke();
    context.beginPath(); // hair
    context.arc(0, -22, 7.2, Math.PI * 1.02, Math.PI * 1.98);
    context.quadraticCurveTo(0, (look >>> 12) % 2 ? -21 : -26, -7.2, -22);
    context.fillStyle = HAIR[(look >>> 8) % HAIR.length];
    context.fill();
    disc(context, -2.4, -20.5, 0.9, "#1d2025");
    disc(context, 2.4, -20.5, 0.9, "#1d2025");
    context.fillStyle = "#ffffff";
    context.font = "700 9px system-ui, sans-serif";
    context.textAlign = "center";
    context.fillText(letters, 0, -5.5);
    return canvas.transferToImageBitmap();
  }

  /** Rings differ in their dashes as well as in their colours. */
  _ring(name, colour, halo) {
    const [canvas, context] = this._canvas(...RING_PX.map((half) => 2 * (half + RING_EDGE_PX)));
    context.translate(...RING_PX.map((half) => half + RING_EDGE_PX));
    context.beginPath();
    context.ellipse(0, 0, ...RING_PX, 0, 0, 2 * Math.PI);
    context.globalAlpha = name === "absent" ? 0.2 : 0.4;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = 0.55;
    context.lineWidth = 5;
    context.strokeStyle = halo;
    context.stroke();
    context.globalAlpha = 1;
    context.lineWidth = name === "device" ? 3.4 : 2.6;
    context.setLineDash(DASHES[name] ?? []);
    context.strokeStyle = colour;
    context.stroke();
    return canvas.transferToImageBitmap();
  }

  /** Disc, square, diamond, circle. */
  _dot(tier, colour) {
    const r = 3.6;
    const [canvas, context] = this._canvas(2 * r + 4, 2 * r + 4, 1);
    context.translate(r + 2, r + 2);
    context.beginPath();
    if (tier === "host") context.rect(-0.84 * r, -0.84 * r, 1.68 * r, 1.68 * r);
    else if (tier === "disk") {
      context.rotate(Math.PI / 4);
      context.rect(-0.76 * r, -0.76 * r, 1.52 * r, 1.52 * r);
    } else context.arc(0, 0, tier === "absent" ? 0.7 * r : r, 0, 2 * Math.PI);
    context.lineWidth = 2;
    context.strokeStyle = colour(tier === "absent" ? "absent" : "panel");
    context.stroke();
    context.fillStyle = colour(tier === "absent" ? "panel" : tier);
    context.fill();
    return canvas.transferToImageBitmap();
  }

  _canvas(width, height, size = LARGEST) {
    const scale = this._ratio * size;
    const canvas = new OffscreenCanvas(Math.ceil(width * scale), Math.ceil(height * scale));
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    return [canvas, context];
  }
}

/** Where somebody of that size is, around their feet. */
export function figureBox(size) {
  return Object.fromEntries(Object.entries(FIGURE_PX).map(([side, px]) => [side, px * size]));
}

/** At most two letters: of the first name and of the last. */
function initials(name) {
  const words = name.trim().split(/\s+/);
  const ends = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return ends.map((word) => [...word][0]?.toUpperCase() ?? "").join("");
}

function disc(context, x, y, r, colour) {
  context.beginPath();
  context.arc(x, y, r, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
}
