// What the page knows of a world: who is where, what they say, and how their state moved.

const HISTORY_S = 120; // of game time, kept of every NPC
const MAX_MOVES = 40; // kept of every NPC
const BUBBLE_MS = 7000; // how long words stay after the last one
const FLASH_MS = 1600; // how long it is shown that a mind has arrived on the GPU
const LATE = 1.4; // of the time between two pictures: so long takes the walk to a new place
const STANDS_M = 0.02; // less than this from picture to picture is standing still

export class World {
  constructor() {
    this.clear();
  }

  clear() {
    this.npcs = new Map();
    this.players = new Map();
    this.gameTimeS = 0;
    this.selected = null; // id of an NPC
    this.complete = false; // a whole picture has arrived
    this._upAxis = 1;
    this._picture = { gameTimeS: -1, parts: new Set() };
    this._pictureMs = 0;
    this._advancedMs = Infinity;
    this._intervalMs = 200;
    this._replies = new Map(); // number -> NPC
  }

  get selectedNpc() {
    return this.npcs.get(this.selected) ?? null;
  }

  /** [right, up] on the map, in metres. */
  onMap(position) {
    return this._upAxis === 1 ? [position[0], position[2]] : [position[0], position[1]];
  }

  /** The inverse of `onMap`; heights are 0. */
  fromMap([right, up]) {
    return this._upAxis === 1 ? [right, 0, up] : [right, up, 0];
  }

  /** The game's clock goes on from an earlier time: what was noted after it has not happened. */
  rewind(timeS) {
    this.gameTimeS = timeS;
    const isPast = ({ atS }) => atS <= timeS;
    for (const npc of this.npcs.values()) {
      for (const notes of ["tiers", "moves", "calls"]) npc[notes] = npc[notes].filter(isPast);
    }
  }

  // --- npc_states ----------------------------------------------------------------------------

  takeStates(message, nowMs) {
    const { game_time_s: gameTimeS, part, parts } = message;
    if (gameTimeS !== this._picture.gameTimeS || this._picture.parts.has(part)) {
      if (this._pictureMs) {
        const passedMs = Math.min(nowMs - this._pictureMs, 2000);
        this._intervalMs += 0.2 * (passedMs - this._intervalMs);
      }
      this._picture = { gameTimeS, parts: new Set() };
      this._pictureMs = nowMs;
      if (gameTimeS < this.gameTimeS) this.rewind(gameTimeS);
      this.gameTimeS = gameTimeS;
    }
    if (!this.complete && part === 0) this._findUpAxis(message.npcs);
    this._picture.parts.add(part);
    for (const state of message.npcs ?? []) this._takeNpc(state, nowMs);
    for (const state of message.players ?? []) this._takePlayer(state, nowMs);
    if (this._picture.parts.size === parts) this._finishPicture();
  }

  _takeNpc(state, nowMs) {
    let npc = this.npcs.get(state.npc);
    if (!npc) {
      npc = { id: state.npc, tiers: [], moves: [], calls: [], said: null, arrivedMs: -1e9 };
      npc.waitedForSinceMs = null; // null = nobody waits for its first word
      this.npcs.set(state.npc, npc);
    }
    npc.name = state.name ?? state.npc;
    npc.distanceS = state.distance_s ?? Infinity;
    npc.estimator = state.estimator ?? "";
    npc.radiusM = state.interaction_radius_m ?? 3;
    npc.bytes = state.bytes ?? null;
    npc.lastCallS = state.last_call_s ?? null;
    this._takeTalk(npc, state.in_conversation ?? false, nowMs);
    npc.picture = this._picture;
    if (npc.tier !== state.tier) {
      if (npc.tier && state.tier === "device") npc.arrivedMs = nowMs;
      npc.tier = state.tier;
      npc.tiers.push({ atS: this.gameTimeS, tier: state.tier });
      forget(npc.tiers, this.gameTimeS - HISTORY_S, 1);
    }
    this._glide(npc, state.position, nowMs);
  }

  /** Somebody in a conversation who says nothing yet is waited for. */
  _takeTalk(npc, isTalking, nowMs) {
    const isWaitedFor = isTalking && npc.said?.untilMs !== Infinity;
    if (!isWaitedFor) npc.waitedForSinceMs = null;
    else npc.waitedForSinceMs ??= nowMs;
  }

  _takePlayer(state, nowMs) {
    const player = this.players.get(state.player) ?? { id: state.player };
    player.name = state.name ?? state.player;
    player.picture = this._picture;
    this.players.set(state.player, player);
    this._glide(player, state.position, nowMs);
  }

  _finishPicture() {
    this.complete = true;
    for (const bodies of [this.npcs, this.players]) {
      for (const [id, body] of bodies) {
        if (body.picture !== this._picture) bodies.delete(id);
      }
    }
  }

  /** Flat along y, or not flat at all: y is up, as in most engines. Flat along z: z is up. */
  _findUpAxis(states) {
    const spread = (axis) => {
      const values = states.map((state) => state.position[axis]);
      return Math.max(...values) - Math.min(...values);
    };
    if (states.length > 1) this._upAxis = spread(2) < 0.1 * spread(1) ? 2 : 1;
  }

  /** Walk to a new place in a little more than the time until the next picture: motion is smooth. */
  _glide(body, position, nowMs) {
    const [x, y] = this.onMap(position);
    if (body.toX === undefined) [body.x, body.y] = [x, y];
    body.fromX = body.x;
    body.fromY = body.y;
    body.toX = x;
    body.toY = y;
    body.sinceMs = Math.min(this._advancedMs, nowMs); // the frame that showed it there
    body.isWalking = Math.hypot(x - body.fromX, y - body.fromY) > STANDS_M;
  }

  /** Bring every x and y up to now. */
  advance(nowMs) {
    this._advancedMs = nowMs;
    const durationMs = Math.max(LATE * this._intervalMs, 16);
    for (const bodies of [this.npcs.values(), this.players.values()]) {
      for (const body of bodies) {
        const t = Math.min((nowMs - body.sinceMs) / durationMs, 1);
        body.x = body.fromX + (body.toX - body.fromX) * t;
        body.y = body.fromY + (body.toY - body.fromY) * t;
      }
    }
  }

  // --- what is said, and what moves ----------------------------------------------------------

  takeReplyStart(message, nowMs) {
    const npc = this.npcs.get(message.npc);
    if (!npc) return;
    const waitedMs = nowMs - (npc.waitedForSinceMs ?? nowMs);
    npc.waitedForSinceMs = null;
    npc.said = { text: "", untilMs: Infinity, since: message.reply, waitedMs };
    this._replies.set(message.reply, npc);
  }

  takeReplyDelta(message) {
    const npc = this._replies.get(message.reply);
    if (npc) npc.said = { ...npc.said, text: npc.said.text + message.text, lines: undefined };
  }

  takeReplyEnd(message, nowMs) {
    const npc = this._replies.get(message.reply);
    this._replies.delete(message.reply);
    if (!npc) return;
    npc.said = { ...npc.said, untilMs: nowMs + BUBBLE_MS };
    npc.calls.push({ atS: this.gameTimeS, tier: message.tier, ttftS: message.ttft_s });
    forget(npc.calls, this.gameTimeS - HISTORY_S);
  }

  takeMoves(message) {
    for (const move of message.moves) {
      const npc = move.kind === "prefix" ? this.npcs.get(move.key) : null;
      if (!npc) continue;
      npc.moves.push({ ...move, atS: message.game_time_s });
      if (npc.moves.length > MAX_MOVES) npc.moves.shift();
    }
  }

  // --- questions -----------------------------------------------------------------------------

  /** NPCs by distance from a place on the map, nearest first. */
  nearest([x, y], count) {
    const found = [];
    for (const npc of this.npcs.values()) {
      npc.awayM = Math.hypot(npc.x - x, npc.y - y);
      found.push(npc);
    }
    return found.sort((a, b) => a.awayM - b.awayM).slice(0, count);
  }

  /** {left, right, bottom, top} of everybody, in metres; null = nobody is there. */
  bounds() {
    let box = null;
    for (const { x, y } of this.npcs.values()) {
      box ??= { left: x, right: x, bottom: y, top: y };
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x);
      box.bottom = Math.min(box.bottom, y);
      box.top = Math.max(box.top, y);
    }
    return box;
  }
}

/** Drop what is older than `sinceS`, but the last `keep` entries before it. */
function forget(entries, sinceS, keep = 0) {
  const first = entries.findIndex((entry) => entry.atS >= sinceS);
  if (first > keep) entries.splice(0, first - keep);
}

export { FLASH_MS, HISTORY_S };
