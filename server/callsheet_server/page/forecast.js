// How good the forecast is: chances said against calls that came, the worth of each source, and the
// hit rate beside what caches of the same size would have had.

import { count, percent } from "./format.js";
import { demandHits } from "./optimum.js";

const MOST_CALLS = 500;

export class ForecastCard {
  constructor(root) {
    this._root = root;
    this.reset();
  }

  /** Another session: it may be another world. */
  reset() {
    this._calls = []; // {npc, hit}, the latest that this page has seen
  }

  takeReplyEnd(end) {
    if (!end.tier || !end.npc) return;
    this._calls.push({ npc: end.npc, hit: end.tier === "device" });
    if (this._calls.length > MOST_CALLS) this._calls.shift();
  }

  draw(stats) {
    const { forecast } = stats;
    this._find("no-forecast").hidden = Boolean(forecast);
    this._find("forecast").hidden = !forecast;
    if (forecast) {
      this._fill("chances", chanceRows(forecast.chances));
      this._fill("sources", sourceRows(forecast));
    }
    this._fill("optimum", optimumRows(this._calls, slots(stats.tiers)));
  }

  _find(name) {
    return this._root.querySelector(`[data-part=${name}]`);
  }

  _fill(name, rows) {
    const lines = rows.map((texts) => {
      const line = this._root.ownerDocument.createElement("tr");
      for (const text of texts) line.insertCell().textContent = text;
      return line;
    });
    this._find(name).replaceChildren(...lines);
  }
}

function chanceRows(chances) {
  return chances
    .filter(({ looks }) => looks > 0)
    .map(({ within_s: withinS, band, looks, said, came }) => [
      `${band}, within ${withinS} s`,
      count(looks),
      percent(said / looks),
      percent(came / looks),
    ]);
}

function sourceRows({ callers, foremost, sources }) {
  if (callers === 0) return [];
  const all = foremost / callers;
  return [
    ["with all sources", percent(all), ""],
    ...sources.map((source) => {
      const without = source.foremost / callers;
      const points = 100 * (all - without);
      return [`without ${source.name}`, percent(without), `${points.toFixed(1)} points`];
    }),
  ];
}

function optimumRows(calls, device) {
  const share = (found) => (calls.length ? percent(found / calls.length) : "–");
  const rows = [["here", share(calls.filter(({ hit }) => hit).length)]];
  if (device !== null) {
    const { lru, belady } = demandHits(calls.map(({ npc }) => npc), device);
    rows.push(["LRU", share(lru)], ["best without prefetching", share(belady)]);
  }
  rows.push(["every call foreseen", share(calls.length)]);
  return rows;
}

/** NPCs that the device has room for, if all prefixes are of one size; null = not known. */
function slots(tiers) {
  const device = tiers.find(({ kind, tier }) => kind === "prefix" && tier === "device");
  if (!device?.items || !device.used_bytes) return null;
  return Math.floor((device.budget_bytes * device.items) / device.used_bytes);
}
