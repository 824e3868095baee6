// Words on the map: names at people's feet, and what they say in bubbles. `arrange.js` sees to it
// that nothing covers anything; here is what wants a place, in which order, and how it is drawn.

import { Arrangement } from "./arrange.js";
import { figureBox } from "./people.js";

const MAX_BUBBLES = 3;
const MAX_NAMES = 26;
const BUBBLE_LINES = 2;
const BUBBLE_WIDTH_PX = 216;
const LINE_PX = 17;
const PAD_PX = [11, 7];
const DOTS_PX = [38, 20];
const NAME_PX = 15;
const NAMES_FROM_SCALE = 6; // pixels a metre; seen from further away only few have a name
const FONT = "system-ui, sans-serif";
const NAME_FONT = `600 12px ${FONT}`;
const BUBBLE_FONT = `13px ${FONT}`;

export class Words {
  constructor(world) {
    this._world = world;
    this._named = new Set(); // who had a name in the frame before keeps it
    this._body = figureBox(1);
    this.still = false; // no motion
    this.hovered = null; // id of an NPC
    /** Boxes of the last frame, for tests: what was kept free, and what was drawn. */
    this.boxes = { kept: [], names: [], bubbles: [] };
  }

  readColours(style) {
    const names = ["text", "panel", "accent", "player", "bubble", "outline", "halo"];
    this._colours = Object.fromEntries(
      names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
    );
  }

  /**
   * @param {{id, name, px, py}[]} visible NPCs in sight
   * @param {{name, x, y, colour, isYou}[]} players in pixels
   * @param {number[][]} covered boxes of what lies over the map
   */
  draw(context, camera, visible, players, covered, nowMs) {
    this._body = figureBox(camera.size);
    const [you] = players.filter((player) => player.isYou);
    const kept = [...covered, ...(you ? this._boxesOfYou(context, you) : [])];
    const arrangement = new Arrangement(camera, kept);
    this.boxes = { kept, names: [], bubbles: [] };
    const speaking = visible
      .filter((npc) => isAboutToSpeak(npc) || npc.said?.untilMs > nowMs)
      .sort((a, b) => this._isChosen(b) - this._isChosen(a) || latest(b) - latest(a));
    const leading = [...visible.filter((npc) => this._isChosen(npc)), ...speaking.slice(0, MAX_BUBBLES)];
    const named = new Set();
    for (const npc of new Set(leading)) this._drawName(context, arrangement, npc, named);
    for (const npc of speaking) {
      if (this.boxes.bubbles.length === MAX_BUBBLES) break;
      this._drawBubble(context, arrangement, npc, nowMs);
    }
    for (const player of players) {
      if (player === you || this._takeName(context, arrangement, player)) {
        const above = player === you ? this._body.top - 6 : this._body.bottom + 12;
        this._write(context, player.name, player.x, player.y + above, this._colours[player.colour]);
      }
    }
    const others = camera.scale > NAMES_FROM_SCALE ? this._others(visible, you ?? centre(camera)) : [];
    for (const npc of others) {
      if (named.size === MAX_NAMES) break;
      if (!named.has(npc.id)) this._drawName(context, arrangement, npc, named);
    }
    this._named = named;
  }

  /** Those with a name so far first, then the nearest. */
  _others(visible, from) {
    const rank = (npc) => (this._named.has(npc.id) ? 0 : 1e6) + Math.hypot(npc.px - from.x, npc.py - from.y);
    return visible
      .map((npc) => [rank(npc), npc])
      .sort((a, b) => a[0] - b[0])
      .slice(0, 3 * MAX_NAMES)
      .map(([, npc]) => npc);
  }

  _isChosen(npc) {
    return npc.id === this._world.selected || npc.id === this.hovered;
  }

  _boxesOfYou(context, { name, x, y }) {
    const half = this._width(context, name, NAME_FONT) / 2 + 2;
    const { left, right, top, bottom } = this._body;
    return [
      [x + left, y + top, x + right, y + bottom],
      [x - half, y + top - 6 - NAME_PX + 3, x + half, y + top - 3],
    ];
  }

  // --- names ---------------------------------------------------------------------------------

  _drawName(context, arrangement, npc, named) {
    if (!this._takeName(context, arrangement, { name: npc.name, x: npc.px, y: npc.py })) return;
    named.add(npc.id);
    this._write(context, npc.name, npc.px, npc.py + this._body.bottom + 12, this._colours.text);
  }

  _takeName(context, arrangement, { name, x, y }) {
    const half = this._width(context, name, NAME_FONT) / 2 + 2;
    const top = y + this._body.bottom + 1;
    const box = [x - half, top, x + half, top + NAME_PX];
    if (!arrangement.take(box)) return false;
    this.boxes.names.push(box);
    return true;
  }

  _write(context, text, x, y, colour) {
    context.font = NAME_FONT;
    context.textAlign = "center";
    context.lineWidth = 3.5;
    context.lineJoin = "round";
    context.strokeStyle = this._colours.halo;
    context.strokeText(text, x, y);
    context.fillStyle = colour;
    context.fillText(text, x, y);
  }

  _width(context, text, font) {
    context.font = font;
    return context.measureText(text).width;
  }

  // --- bubbles -------------------------------------------------------------------------------

  _drawBubble(context, arrangement, npc, nowMs) {
    const words = isAboutToSpeak(npc) ? null : npc.said;
    const [width, height] = words ? this._measure(context, words) : DOTS_PX;
    const top = npc.py + this._body.top;
    const found = arrangement.takeNear([npc.px, top], width, height, npc.bubbleAt);
    if (!found) return;
    npc.bubbleAt = found.at;
    this.boxes.bubbles.push({ npc: npc.id, box: found.box });
    const [left, up, right, down] = found.box;
    context.fillStyle = this._colours.bubble;
    context.strokeStyle = this._colours.outline;
    context.lineWidth = 1;
    this._drawTail(context, found.box, npc.px, down <= top ? top - 2 : npc.py);
    context.beginPath();
    context.roundRect(left, up, right - left, down - up, 9);
    context.fill();
    context.stroke();
    context.fillStyle = this._colours.text;
    if (!words) return this._drawDots(context, (left + right) / 2, (up + down) / 2, nowMs);
    context.font = BUBBLE_FONT;
    context.textAlign = "left";
    words.lines.forEach((line, row) => {
      context.fillText(line, left + PAD_PX[0], up + PAD_PX[1] + 13 + row * LINE_PX);
    });
  }

  /** A wedge from the bubble towards who speaks. */
  _drawTail(context, [left, top, right, bottom], x, y) {
    const foot = Math.min(Math.max(x, left + 14), right - 14);
    const edge = y > bottom ? bottom - 1 : Math.min(Math.max(y, top + 8), bottom - 8);
    const along = y > bottom ? [6, 0] : [0, 6];
    const from = y > bottom ? [foot, edge] : [x < left ? left + 1 : right - 1, edge];
    const reach = Math.hypot(x - from[0], y - from[1]);
    const part = Math.min(1, 26 / Math.max(reach, 1));
    context.beginPath();
    context.moveTo(from[0] - along[0], from[1] - along[1]);
    context.lineTo(from[0] + (x - from[0]) * part, from[1] + (y - from[1]) * part);
    context.lineTo(from[0] + along[0], from[1] + along[1]);
    context.fill();
    context.stroke();
  }

  /** Somebody is about to speak. */
  _drawDots(context, x, y, nowMs) {
    for (const dot of [0, 1, 2]) {
      const beat = this.still ? 0 : Math.max(Math.sin(nowMs / 160 - dot * 0.9), 0);
      context.globalAlpha = 0.35 + 0.6 * beat;
      context.beginPath();
      context.arc(x + (dot - 1) * 9, y - 2 * beat, 2.6, 0, 2 * Math.PI);
      context.fill();
    }
    context.globalAlpha = 1;
  }

  _measure(context, said) {
    if (said.lines === undefined) {
      context.font = BUBBLE_FONT;
      const lines = wrap(context, said.text, BUBBLE_WIDTH_PX);
      said.lines = lines.slice(-BUBBLE_LINES);
      if (lines.length > BUBBLE_LINES) said.lines[0] = `… ${said.lines[0]}`;
      said.width = Math.max(...said.lines.map((line) => context.measureText(line).width));
    }
    return [said.width + 2 * PAD_PX[0], said.lines.length * LINE_PX + 2 * PAD_PX[1] - 2];
  }
}

function isAboutToSpeak({ waitedForSinceMs, said }) {
  return waitedForSinceMs !== null || said?.text === "";
}

/** Numbers by which the latest speaker comes first; those about to speak come before all. */
function latest(npc) {
  return isAboutToSpeak(npc) ? Number.MAX_SAFE_INTEGER : npc.said.since;
}

function centre({ width, height }) {
  return { x: width / 2, y: height / 2 };
}

/** Lines of words; a word wider than a line is cut. */
function wrap(context, text, width) {
  const lines = [""];
  for (let word of text.trim().split(/\s+/)) {
    const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (context.measureText(longer).width <= width) {
      lines[lines.length - 1] = longer;
      continue;
    }
    while (word.length > 1 && context.measureText(word).width > width) word = word.slice(0, -1);
    if (lines.at(-1)) lines.push(word);
    else lines[lines.length - 1] = word;
  }
  return lines;
}
