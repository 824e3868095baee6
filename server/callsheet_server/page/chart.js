// Line charts and the timeline of one NPC, drawn on canvases whose colours follow the page's.

import { TIERS, TIER_WORDS } from "./format.js";

const PAD = { left: 44, right: 10, top: 10, bottom: 20 };
const FONT = "11px system-ui, sans-serif";

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{colour: string, dash?: number[], points: [number, number][]}[]} series
 *     points: [seconds ago, value]
 * @param {{spanS: number, format: (value: number) => string, max?: number}} axes
 */
export function lineChart(canvas, series, { spanS, format, max }) {
  const { context, width, height, colour } = prepare(canvas);
  const highest = Math.max(...series.flatMap(({ points }) => points.map(([, value]) => value)), 0);
  const top = max ?? niceCeiling(highest);
  const x = (agoS) => width - PAD.right - (agoS / spanS) * (width - PAD.left - PAD.right);
  const y = (value) => height - PAD.bottom - (value / top) * (height - PAD.top - PAD.bottom);
  context.textAlign = "right";
  for (const value of [0, top / 2, top]) {
    line(context, colour("grid"), [[PAD.left, y(value)], [width - PAD.right, y(value)]]);
    context.fillStyle = colour("faint");
    context.fillText(format(value), PAD.left - 6, y(value) + 4);
  }
  context.fillText("now", width - PAD.right, height - 5);
  context.textAlign = "left";
  context.fillText(`${spanS} s ago`, PAD.left, height - 5);
  for (const { colour: name, dash = [], points } of series) {
    context.setLineDash(dash);
    const shown = points.filter(([agoS]) => agoS <= spanS);
    line(context, colour(name), shown.map(([agoS, value]) => [x(agoS), y(value)]), 2);
  }
}

/** A dot for every time, on a logarithmic axis from 1 ms to 10 s. */
export function dotStrip(canvas, valuesS, colourName) {
  const { context, width, height, colour } = prepare(canvas);
  const x = (valueS) => 12 + ((Math.log10(Math.min(Math.max(valueS, 1e-3), 10)) + 3) / 4) * (width - 30);
  context.textAlign = "center";
  const every = width < 260 ? 2 : 1; // label
  const labels = [[1e-3, "1 ms"], [1e-2, "10 ms"], [0.1, "0.1 s"], [1, "1 s"], [10, "10 s"]];
  for (const [valueS, text] of labels.filter((_, index) => index % every === 0)) {
    line(context, colour("grid"), [[x(valueS), 4], [x(valueS), height - 18]]);
    context.fillStyle = colour("faint");
    context.fillText(text, Math.max(x(valueS), 16), height - 5);
  }
  context.fillStyle = colour(colourName);
  context.globalAlpha = 0.65;
  valuesS.forEach((valueS, index) => {
    context.beginPath();
    context.arc(x(valueS), 8 + ((index * 0.618) % 1) * (height - 34), 4, 0, 2 * Math.PI);
    context.fill();
  });
}

/** Where one NPC's state lay, and when it was called. */
export function timeline(canvas, npc, nowS, spanS) {
  const { context, width, height, colour } = prepare(canvas);
  const left = 124; // room for the longest of TIER_WORDS
  const x = (atS) => width - 10 - (Math.max(nowS - atS, 0) / spanS) * (width - 10 - left);
  const lane = (height - 36) / TIERS.length;
  const y = (tier) => 8 + (TIERS.indexOf(tier) + 0.5) * lane;
  context.textAlign = "right";
  for (const tier of TIERS) {
    line(context, colour("grid"), [[left, y(tier)], [width - 10, y(tier)]]);
    context.fillStyle = colour("text");
    context.fillText(TIER_WORDS[tier], left - 8, y(tier) + 4);
  }
  context.fillStyle = colour("faint");
  context.fillText("now", width - 10, height - 6);
  context.textAlign = "left";
  context.fillText(`${spanS} s of game time ago`, left, height - 6);
  npc.tiers.forEach(({ atS, tier }, index) => {
    const endS = npc.tiers[index + 1]?.atS ?? nowS;
    if (nowS - endS > spanS) return;
    const [from, to] = [Math.max(x(atS), left), x(endS)];
    context.fillStyle = colour(tier);
    context.fillRect(from, y(tier) - 0.3 * lane, Math.max(to - from, 2), 0.6 * lane);
  });
  context.fillStyle = colour("text");
  for (const { atS } of npc.calls) {
    const at = x(atS);
    if (at < left) continue;
    context.beginPath();
    context.moveTo(at, height - 30);
    context.lineTo(at - 4, height - 22);
    context.lineTo(at + 4, height - 22);
    context.fill();
  }
}

function prepare(canvas) {
  const ratio = Math.min(devicePixelRatio, 2);
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  context.font = FONT;
  const style = getComputedStyle(document.documentElement);
  return { context, width, height, colour: (name) => style.getPropertyValue(`--${name}`).trim() };
}

function line(context, colour, points, width = 1) {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.lineJoin = "round";
  context.stroke();
}

/** The next of 1, 2, 5, 10, 20 ... */
function niceCeiling(value) {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}
