// The race: the server takes turns between Callsheet's policy and LRU, in the same town with the same
// memory, and two stopwatches tell how long people waited for the first word.

import { dotStrip } from "./chart.js";
import { count, percent, seconds } from "./format.js";

const LAP_MS = 15000;
const SETTLE_MS = 3000; // of a lap do not count: memory is as the other one left it
const LAPS = 8; // of both together
const TOLD_FROM = 5; // calls in each lane, before there is a verdict
const POLICIES = ["distance", "lru"];

class Lane {
  constructor(root) {
    this._root = root;
    this.clear();
  }

  clear() {
    this.waitsS = []; // the server's own measure of every call that has ended
    this._ready = 0;
    this._open = new Map(); // reply -> seconds waited for it, as seen from here
    this._who = "";
  }

  get averageS() {
    return sum(this.waitsS) / this.waitsS.length;
  }

  takeWord(reply, waitedS, name) {
    this._open.set(reply, waitedS);
    this._who = `${name} answers`;
  }

  /** @param {boolean} counts whether the call began in this lap */
  end(reply, { ttft_s: waitS, tier }, counts) {
    this._open.delete(reply);
    if (!counts) return;
    this.waitsS.push(waitS);
    this._ready += tier === "device";
  }

  /** Forget calls that have not ended: nobody will tell how they did. */
  dropOpen() {
    this._open.clear();
  }

  /** @param {{name: string, waitedS: number}[]} waiting those whose first word has not come */
  draw(isOn, waiting) {
    const calls = this.waitsS.length;
    const passing = [...this._open.values(), ...waiting.map(({ waitedS }) => waitedS)];
    const isBegun = calls + passing.length > 0;
    this._root.classList.toggle("on", isOn);
    this._write("stopwatch", isBegun ? `${(sum(this.waitsS) + sum(passing)).toFixed(3)} s` : "–");
    this._write("who", waiting.length ? `Waiting for ${waiting[0].name}` : this._who);
    this._write("calls", count(calls));
    this._write("ready", percent(this._ready / calls));
    this._write("average", calls < TOLD_FROM ? "–" : seconds(this.averageS));
    this._write("longest", calls ? seconds(Math.max(...this.waitsS)) : "–");
    dotStrip(this._root.querySelector("canvas"), this.waitsS, isOn ? "accent" : "faint");
  }

  _write(name, text) {
    const element = this._root.querySelector(`[data-part=${name}]`);
    if (element.textContent !== text) element.textContent = text;
  }
}

export class Race {
  constructor(root, client, world) {
    this._root = root;
    this._client = client;
    this._world = world;
    this._lanes = POLICIES.map((policy) => new Lane(root.querySelector(`[data-lane=${policy}]`)));
    this._policy = null; // of the server, as last told
    this._before = null; // the policy to go back to; null = no race is on
    this._calls = new Map(); // reply -> {lane, countsFromMs, firstWordMs}
    this._lap = 0;
    this._lapBeganMs = 0;
    this.lapMs = LAP_MS;
    this.settleMs = SETTLE_MS;
    this._button = root.querySelector("[data-part=start]");
    this._button.addEventListener("click", () => (this.isOn ? this.stop() : this.start()));
  }

  get isOn() {
    return this._before !== null;
  }

  get _lane() {
    return this._lanes[this._lap % 2];
  }

  get _countsFromMs() {
    return this._lapBeganMs + this.settleMs;
  }

  /** Those whose first word has not come, and the seconds that count of the wait. */
  _waiting(nowMs) {
    return [...this._world.npcs.values()]
      .filter(({ waitedForSinceMs: sinceMs }) => sinceMs !== null && sinceMs >= this._countsFromMs)
      .map(({ name, waitedForSinceMs }) => ({ name, waitedS: (nowMs - waitedForSinceMs) / 1000 }));
  }

  async start() {
    if (this.isOn) return;
    if (!this._policy) return this._tell("problem", "This engine plans for itself: there is nothing to race.");
    this._tell("problem", "");
    this._before = this._policy;
    for (const lane of this._lanes) lane.clear();
    this._lap = 0;
    await this._beginLap();
  }

  /** End the race and give the server back its policy. */
  async stop() {
    if (!this.isOn) return;
    const before = this._before;
    this.abandon();
    await this._setPolicy(before);
  }

  /** The server is another one, or gone. */
  abandon() {
    this._before = null;
    for (const lane of this._lanes) lane.dropOpen();
    this._calls.clear();
  }

  takeStats({ policy }) {
    this._policy = policy ?? null;
  }

  /** The first word has come. */
  takeReplyStart(message) {
    const nowMs = performance.now();
    const npc = this._world.npcs.get(message.npc);
    if (!this.isOn || !npc || nowMs < this._countsFromMs) return;
    const call = { lane: this._lane, countsFromMs: this._countsFromMs, firstWordMs: nowMs };
    this._calls.set(message.reply, call);
    call.lane.takeWord(message.reply, npc.said.waitedMs / 1000, npc.name);
  }

  takeReplyEnd(message) {
    const call = this._calls.get(message.reply);
    this._calls.delete(message.reply);
    const isMeasured = message.tier && message.ttft_s !== undefined;
    const beganMs = call?.firstWordMs - 1000 * message.ttft_s;
    call?.lane.end(message.reply, message, isMeasured && beganMs >= call.countsFromMs);
  }

  draw(nowMs) {
    if (this.isOn && nowMs - this._lapBeganMs > this.lapMs) this._endLap();
    if (this._root.hidden) return;
    this._button.textContent = this.isOn ? "Stop" : "Start the race";
    for (const lane of this._lanes) {
      const isOn = this.isOn && lane === this._lane;
      lane.draw(isOn, isOn ? this._waiting(nowMs) : []);
    }
    this._tell("lap", this._lapWords(nowMs));
    this._tell("verdict", this._verdict());
  }

  _beginLap() {
    this._lapBeganMs = performance.now();
    return this._setPolicy(POLICIES[this._lap % 2]);
  }

  _endLap() {
    this._lap += 1;
    if (this._lap < LAPS) this._beginLap();
    else this.stop();
  }

  async _setPolicy(policy) {
    try {
      await this._client.request({ type: "set_policy", policy });
    } catch (error) {
      this._tell("problem", error.message);
      this.abandon();
    }
  }

  _lapWords(nowMs) {
    if (!this.isOn) return "";
    const passedMs = nowMs - this._lapBeganMs;
    const leftS = Math.max(Math.ceil((this.lapMs - passedMs) / 1000), 0);
    const lap = `Lap ${this._lap + 1} of ${LAPS}, ${leftS} s left`;
    return passedMs < this.settleMs ? `${lap}; the first ${this.settleMs / 1000} s do not count` : lap;
  }

  _verdict() {
    const [ours, theirs] = this._lanes;
    if (Math.min(ours.waitsS.length, theirs.waitsS.length) < TOLD_FROM) return "";
    const told = `First word after ${seconds(ours.averageS)} with Callsheet, ${seconds(theirs.averageS)} with LRU`;
    const times = theirs.averageS / ours.averageS;
    if (times >= 100) return `${told}: more than 100 times as long.`;
    if (times > 1.1) return `${told}: ${times.toFixed(times < 10 ? 1 : 0)} times as long.`;
    return times < 0.9 ? `${told}: LRU is ahead.` : `${told}: level.`;
  }

  _tell(name, text) {
    const element = this._root.querySelector(`[data-part=${name}]`);
    if (element.textContent !== text) element.textContent = text;
  }
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
