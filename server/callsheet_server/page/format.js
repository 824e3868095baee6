// Numbers as people read them.

export const TIERS = ["device", "host", "disk", "absent"];

/** Tiers in plain words, as in "her mind is ...". */
export const TIER_WORDS = {
  device: "in engine memory",
  host: "in RAM",
  disk: "on disk",
  absent: "not computed",
};

export function bytes(value) {
  if (value === null || value === undefined) return "–";
  for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
    if (value >= size) return `${(value / size).toFixed(value >= 100 * size ? 0 : 1)} ${unit}`;
  }
  return `${value} B`;
}

export function seconds(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value < 0.001) return "under 1 ms";
  if (value < 0.01) return `${(value * 1000).toFixed(1)} ms`;
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  return value < 100 ? `${value.toFixed(1)} s` : `${Math.round(value)} s`;
}

/** An invocation distance. */
export function distance(valueS) {
  if (!Number.isFinite(valueS)) return "∞";
  return valueS === 0 ? "now" : `${valueS.toFixed(1)} s`;
}

export function percent(value) {
  return Number.isFinite(value) ? `${(100 * value).toFixed(1)} %` : "–";
}

export function count(value) {
  return value.toLocaleString("en");
}

/** The q-quantile of numbers, by linear interpolation as numpy does it; null of none. */
export function quantile(values, q) {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.ceil(at);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}

/** An action that an NPC has chosen, as in "wants to ...". */
export function deed({ name, arguments: given }) {
  const told = Object.entries(given).map(([key, value]) => `${key}: ${plain(value)}`);
  return told.length ? `${name} (${told.join(", ")})` : name;
}

function plain(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}
