// Tells how the connection is: live, lost, refused, waiting for the engine, or open with no game behind it.

import { bytes } from "./format.js";

const LOOK_AGAIN_MS = 3000; // for a game, where there is none
const LOST_AFTER_MS = 400; // shorter than this nobody needs to know

export class Connection {
  constructor(elements, client, world) {
    this._elements = elements;
    this._client = client;
    this._world = world;
    this._aloneSinceMs = performance.now();
    this._openedMs = -Infinity;
    this._progress = null; // of an engine that is not ready yet
    client.on("state", () => this._showState());
    client.on("engine_progress", (progress) => (this._progress = progress));
    elements.token.addEventListener("submit", (event) => {
      event.preventDefault();
      client.options.token = new FormData(event.target).get("token");
      client.connect();
    });
    elements.address.textContent = client.options.url;
    elements.snippet.textContent = snippet(client.options);
  }

  /** The world is gone: whoever waits for a game waits from now. */
  leaveWorld() {
    this._aloneSinceMs = performance.now();
  }

  /** Look after what changes by itself: to be called a few times a second. */
  update(nowMs) {
    const [client, world] = [this._client, this._world];
    if (client.state === "open") this._openedMs = nowMs;
    const isAlone = client.state === "open" && world.complete && world.npcs.size === 0;
    if (!isAlone) this._aloneSinceMs = nowMs;
    if (nowMs - this._aloneSinceMs > LOOK_AGAIN_MS) {
      client.close();
      client.connect();
    }
    const { empty, lost, words, town } = this._elements;
    if (world.npcs.size > 0 || client.state === "refused") empty.hidden = true;
    else if (isAlone) empty.hidden = false;
    const isTrying = client.state === "waiting" || client.state === "connecting";
    const isLost = isTrying && empty.hidden && nowMs - this._openedMs > LOST_AFTER_MS;
    lost.hidden = !isLost;
    town.classList.toggle("dimmed", isLost);
    if (isLost) this._tellWhy(lost.querySelector("h2"), words, nowMs);
  }

  _tellWhy(title, words, nowMs) {
    const inS = (this._client.retryAtMs - nowMs) / 1000;
    const [why, told] = this._progress
      ? ["The model is not ready yet", progressWords(this._progress)]
      : ["Connection lost", inS > 1 ? `Trying again in ${Math.ceil(inS)} s` : "Trying again"];
    if (title.textContent !== why) title.textContent = why;
    if (words.textContent !== told) words.textContent = told;
  }

  _showState() {
    const { state, error } = this._client;
    this._progress = null;
    const words = {
      connecting: "Connecting",
      open: "Live",
      waiting: "Reconnecting",
      refused: error?.message ?? "Refused",
      closed: "Closed",
    };
    const { status, token } = this._elements;
    status.textContent = words[state];
    status.dataset.state = state;
    token.hidden = !(state === "refused" && error?.code === "unauthorized");
  }
}

function progressWords({ phase, done_bytes: done, total_bytes: total }) {
  if (phase !== "download") return "It is being loaded";
  return `Fetched ${bytes(done)}${total ? ` of ${bytes(total)}` : ""}`;
}

function snippet({ url, world }) {
  return [
    "import callsheet",
    "",
    "async with callsheet.connect(",
    `    "${url}", role="game", world="${world}"`,
    ") as game:",
    '    bram = callsheet.NpcSpec(npc="bram", name="Bram")',
    "    cast = await game.spawn([bram])",
    '    await game.send_tick(0.0, [cast.npcs["bram"]], [[0, 0, 0]])',
  ].join("\n");
}
