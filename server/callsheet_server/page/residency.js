// The residency tab: what lies where, what moves, and what it does for the time to the first word.

import { lineChart, timeline } from "./chart.js";
import { TIER_WORDS, bytes, count, distance, percent, quantile, seconds } from "./format.js";
import { ForecastCard } from "./forecast.js";
import { drawReplicas } from "./replicas.js";
import { HISTORY_S } from "./world.js";

const SPAN_S = 120;
const SAMPLE_EVERY_MS = 1000;
const MAX_ROWS = 100;
const MAX_MOVES_SHOWN = 8;
const MAX_TTFT_SAMPLES = 2000;
const MEDIAN_FROM = 5; // calls: fewer tell nothing
const P95_FROM = 20; // calls: of fewer it would be the longest of them
const POLICIES = {
  distance: "Callsheet",
  lru: "LRU",
  naive: "Naive swap",
};

const COLUMNS = {
  name: { value: (npc) => npc.name, text: (npc) => npc.name },
  distance: { value: (npc) => npc.distanceS, text: (npc) => distance(npc.distanceS) },
  why: { value: (npc) => npc.estimator, text: (npc) => npc.estimator || "–" },
  tier: { value: (npc) => npc.tier, text: (npc) => TIER_WORDS[npc.tier] },
  bytes: { value: (npc) => npc.bytes ?? -1, text: (npc) => bytes(npc.bytes) },
  last: {
    value: (npc, nowS) => (npc.lastCallS === null ? Infinity : nowS - npc.lastCallS),
    text: (npc, nowS) => (npc.lastCallS === null ? "never" : `${seconds(nowS - npc.lastCallS)} ago`),
  },
};

export class ResidencyTab {
  constructor(root, client, world) {
    this._root = root;
    this._client = client;
    this._world = world;
    this._sort = { column: "distance", descending: false };
    this._forecast = new ForecastCard(this._find("forecast-card"));
    this._byPolicy = new Map(); // policy -> {calls, hits, ttftS}
    this.reset();
    for (const header of root.querySelectorAll("th button")) {
      header.addEventListener("click", () => this._sortBy(header.dataset.column));
    }
    for (const radio of root.querySelectorAll("[name=policy]")) {
      radio.addEventListener("change", () => this._setPolicy(radio.value));
    }
    this._find("filter").addEventListener("input", () => this.draw());
    this._find("rows").addEventListener("click", (event) => {
      const row = event.target.closest("tr");
      if (row) this._select(row.dataset.npc);
    });
  }

  /** Another session: counters may have started anew. */
  reset() {
    this._stats = null;
    this._samples = []; // {ms, stats}
    this._forecast.reset();
  }

  takeStats(stats, nowMs) {
    this._stats = stats;
    if (nowMs - (this._samples.at(-1)?.ms ?? -Infinity) < SAMPLE_EVERY_MS) return;
    this._samples.push({ ms: nowMs, stats });
    if (nowMs - this._samples[0].ms > (SPAN_S + 10) * 1000) this._samples.shift();
  }

  takeReplyEnd(end) {
    this._forecast.takeReplyEnd(end);
    const policy = this._stats?.policy;
    if (!policy || !end.tier || end.ttft_s === undefined) return;
    const seen = this._byPolicy.get(policy) ?? { calls: 0, hits: 0, ttftS: [] };
    this._byPolicy.set(policy, seen);
    seen.calls += 1;
    seen.hits += end.tier === "device";
    seen.ttftS.push(end.ttft_s);
    if (seen.ttftS.length > MAX_TTFT_SAMPLES) seen.ttftS.shift();
  }

  draw() {
    if (this._root.hidden || !this._stats) return;
    this._drawTiles();
    drawReplicas(this._find("replicas"), this._stats.replicas);
    this._drawTiers();
    this._drawPolicies();
    this._drawTtft();
    this._forecast.draw(this._stats);
    this._drawCharts();
    this._drawTable();
    this._drawTimeline();
  }

  _find(name) {
    return this._root.querySelector(`[data-part=${name}]`);
  }

  _write(name, text) {
    const element = this._find(name);
    if (element.textContent !== text) element.textContent = text;
  }

  // --- counters ------------------------------------------------------------------------------

  _drawTiles() {
    const stats = this._stats;
    this._write("hit-rate", percent(hitRate(stats)));
    this._write("replies", count(stats.replies));
    this._write("running", count(stats.running));
    this._write("queued", count(stats.queued));
    this._write("loads", count(stats.loads));
    this._write("evictions", count(stats.evictions));
    this._write("loaded", bytes(stats.loaded_bytes));
    this._write("evicted", bytes(stats.evicted_bytes));
    this._write("npcs", count(stats.npcs));
    this._write("players", count(stats.players));
  }

  _drawTiers() {
    const list = this._find("tiers");
    const tiers = this._stats.tiers.filter((tier) => tier.budget_bytes > 0);
    while (list.children.length < tiers.length) {
      list.append(list.ownerDocument.getElementById("tier-bar").content.cloneNode(true));
    }
    while (list.children.length > tiers.length) list.lastElementChild.remove();
    tiers.forEach((tier, index) => {
      const item = list.children[index];
      item.dataset.tier = tier.tier;
      item.dataset.items = tier.items;
      item.querySelector("b").textContent = `${TIER_WORDS[tier.tier]} · ${tier.kind}`;
      item.querySelector("span").textContent =
        `${count(tier.items)} · ${bytes(tier.used_bytes)} of ${bytes(tier.budget_bytes)}`;
      const meter = item.querySelector("meter");
      meter.max = tier.budget_bytes;
      meter.value = tier.used_bytes;
      meter.setAttribute("aria-label", `Used ${TIER_WORDS[tier.tier]}, ${tier.kind}`);
    });
  }

  _drawTtft() {
    for (const name of ["resident", "not_resident"]) {
      const { replies, p50_s: p50, p95_s: p95 } = this._stats[`ttft_${name}`];
      this._write(`${name}-replies`, count(replies));
      this._write(`${name}-p50`, replies < MEDIAN_FROM ? "–" : seconds(p50));
      this._write(`${name}-p95`, replies < P95_FROM ? "–" : seconds(p95));
    }
  }

  _drawCharts() {
    const nowMs = performance.now();
    const rate = (name) =>
      this._samples.slice(1).map(({ ms, stats }, index) => {
        const before = this._samples[index];
        const perS = (stats[name] - before.stats[name]) / ((ms - before.ms) / 1000);
        return [(nowMs - ms) / 1000, Math.max(perS, 0)];
      });
    const series = [
      { colour: "device", points: rate("loads") },
      { colour: "host", dash: [5, 3], points: rate("evictions") },
    ];
    const format = (value) => `${value}/s`;
    lineChart(this._find("moves-chart"), series, { spanS: SPAN_S, format });
    const points = this._recentHitRates(nowMs);
    lineChart(this._find("hit-chart"), [{ colour: "accent", points }], {
      spanS: SPAN_S,
      format: (value) => `${Math.round(100 * value)} %`,
      max: 1,
    });
  }

  /** The hit rate of the last 10 s, at every sample that had calls in them. */
  _recentHitRates(nowMs) {
    const points = [];
    this._samples.forEach(({ ms, stats }, index) => {
      const before = this._samples[Math.max(index - 10, 0)].stats;
      const value = hitRate(stats, before);
      if (Number.isFinite(value)) points.push([(nowMs - ms) / 1000, value]);
    });
    return points;
  }

  // --- policies ------------------------------------------------------------------------------

  async _setPolicy(policy) {
    try {
      await this._client.request({ type: "set_policy", policy });
      this._write("policy-problem", "");
    } catch (error) {
      this._write("policy-problem", error.message);
    }
  }

  _drawPolicies() {
    const { policy } = this._stats;
    this._find("policies").disabled = !policy;
    for (const [name, title] of Object.entries(POLICIES)) {
      const row = this._root.querySelector(`tr[data-policy=${name}]`);
      row.classList.toggle("current", name === policy);
      const radio = this._root.querySelector(`[name=policy][value=${name}]`);
      if (document.activeElement !== radio || name === policy) radio.checked = name === policy;
      const seen = this._byPolicy.get(name) ?? { calls: 0, hits: 0, ttftS: [] };
      const texts = [
        title,
        count(seen.calls),
        percent(seen.hits / seen.calls),
        seen.calls < MEDIAN_FROM ? "–" : seconds(quantile(seen.ttftS, 0.5)),
        seen.calls < P95_FROM ? "–" : seconds(quantile(seen.ttftS, 0.95)),
      ];
      texts.forEach((text, index) => (row.children[index].textContent = text));
    }
  }

  // --- NPCs ----------------------------------------------------------------------------------

  _sortBy(column) {
    const again = this._sort.column === column;
    this._sort = { column, descending: again && !this._sort.descending };
    for (const header of this._root.querySelectorAll("th button")) {
      const sorted = header.dataset.column === column;
      const direction = this._sort.descending ? "descending" : "ascending";
      header.closest("th").setAttribute("aria-sort", sorted ? direction : "none");
    }
    this.draw();
  }

  _drawTable() {
    const nowS = this._world.gameTimeS;
    const wanted = this._find("filter").value.trim().toLowerCase();
    const { column, descending } = this._sort;
    const { value } = COLUMNS[column];
    const sign = descending ? -1 : 1;
    const npcs = [...this._world.npcs.values()]
      .filter((npc) => !wanted || npc.name.toLowerCase().includes(wanted) || TIER_WORDS[npc.tier].toLowerCase().includes(wanted))
      .map((npc) => [value(npc, nowS), npc])
      .sort(([a], [b]) => sign * (a < b ? -1 : a > b ? 1 : 0))
      .map(([, npc]) => npc);
    const shown = npcs.slice(0, MAX_ROWS);
    this._write("shown", `${count(shown.length)} of ${count(npcs.length)}`);
    const body = this._find("rows");
    while (body.children.length < shown.length) {
      body.append(document.getElementById("npc-row").content.cloneNode(true));
    }
    while (body.children.length > shown.length) body.lastElementChild.remove();
    shown.forEach((npc, index) => {
      const row = body.children[index];
      row.dataset.npc = npc.id;
      row.dataset.tier = npc.tier;
      row.classList.toggle("current", npc.id === this._world.selected);
      Object.values(COLUMNS).forEach(({ text }, cell) => {
        const target = row.children[cell].firstElementChild ?? row.children[cell];
        const content = text(npc, nowS);
        if (target.textContent !== content) target.textContent = content;
      });
    });
  }

  _select(npc) {
    this._world.selected = npc;
    this.draw();
  }

  _drawTimeline() {
    const npc = this._world.selectedNpc;
    this._find("timeline").hidden = !npc;
    this._find("no-timeline").hidden = Boolean(npc);
    if (!npc) return;
    this._write("timeline-name", npc.name);
    timeline(this._find("timeline-chart"), npc, this._world.gameTimeS, HISTORY_S);
    const items = npc.moves.slice(-MAX_MOVES_SHOWN).reverse().map((move) => {
      const item = document.createElement("li");
      const head = document.createElement("b");
      head.textContent = `${TIER_WORDS[move.source]} → ${TIER_WORDS[move.target]}`;
      const ago = `${seconds(this._world.gameTimeS - move.atS)} ago`;
      const failed = move.error ? ` (failed: ${move.error})` : "";
      item.append(head, ` ${bytes(move.bytes)} in ${seconds(move.seconds)}, ${ago}: ${move.reason}${failed}`);
      return item;
    });
    this._find("moves").replaceChildren(...items);
  }
}

/** Share of the calls that found their prefix on the device; NaN without calls. */
function hitRate(stats, since = null) {
  const calls = (name) => stats[name].replies - (since?.[name].replies ?? 0);
  const hits = calls("ttft_resident");
  return hits / (hits + calls("ttft_not_resident"));
}
