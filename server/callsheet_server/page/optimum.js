// Bounds for the calls seen: what a cache of the same size would have had at hand.

/** Hits of caches that fetch on demand, for calls in their order, one id each. */
export function demandHits(calls, slots) {
  return {
    lru: hits(calls, slots, lastBefore(calls)),
    belady: hits(calls, slots, nextAfter(calls)),
  };
}

/** Count the hits if whoever has the smallest worth leaves; ``worth``: of the caller, by call. */
function hits(calls, slots, worth) {
  const held = new Map(); // id -> worth
  let found = 0;
  calls.forEach((id, at) => {
    if (held.has(id)) found += 1;
    else if (held.size >= slots) held.delete(least(held));
    if (slots > 0) held.set(id, worth[at]);
  });
  return found;
}

function least(held) {
  let [found, lowest] = held.entries().next().value;
  for (const [id, worth] of held) if (worth < lowest) [found, lowest] = [id, worth];
  return found;
}

/** LRU: later calls are worth more. */
function lastBefore(calls) {
  return calls.map((_, at) => at);
}

/** Belady: sooner next calls are worth more. */
function nextAfter(calls) {
  const next = new Map();
  const worth = [];
  for (let at = calls.length - 1; at >= 0; at -= 1) {
    worth[at] = -(next.get(calls[at]) ?? Infinity);
    next.set(calls[at], at);
  }
  return worth;
}
