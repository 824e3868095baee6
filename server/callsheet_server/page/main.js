// Puts the page together: one session, two tabs, one loop.
//
// Address: /?world=town&name=Ann#token=SECRET. All parts may be left out.

import { Guest } from "./guest.js";
import { TownMap } from "./map.js";
import { Client } from "./protocol.js";
import { ResidencyTab } from "./residency.js";
import { TalkPanel } from "./talk.js";
import { World } from "./world.js";

const VERSION = "1";
const DEFAULT_WORLD = "town";
const FEW_NPCS = 300;
const INTERVAL_S = 0.1; // between two pictures of the world
const CROWD_INTERVAL_S = 0.25; // where pictures are large
const LOOK_AGAIN_MS = 3000; // for a game, where there is none
const LOST_GUEST_MS = 3000;
const RESIDENCY_EVERY_MS = 500;
const PANEL_EVERY_MS = 120;
const HINT_MS = 4000;

const $ = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const token = new URLSearchParams(location.hash.slice(1)).get("token");
const scheme = location.protocol === "https:" ? "wss" : "ws";

const client = new Client({
  url: `${scheme}://${location.host}/`,
  world: query.get("world") ?? DEFAULT_WORLD,
  token,
  name: "callsheet-page",
  version: VERSION,
});
const world = new World();
const guest = new Guest(client, world, query.get("name") ?? "Visitor");
const map = new TownMap($("map"), world, guest);
const residency = new ResidencyTab($("residency"), client, world);
const panel = new TalkPanel(
  {
    card: $("card"),
    nobody: $("nobody"),
    name: $("npc-name"),
    facts: $("npc-facts"),
    reasons: $("reasons"),
    log: $("log"),
    form: $("say"),
    input: $("words"),
    send: $("send"),
  },
  client,
  world,
  guest,
  () => $("map").focus(),
);

/** For the console and for tests. */
window.callsheet = { client, world, guest, map, frames: { count: 0, sinceMs: performance.now() } };

// --- the session -----------------------------------------------------------------------------

let intervalS = INTERVAL_S;
let aloneSinceMs = performance.now();
let guestSeenMs = 0;

function subscribe() {
  const topics = ["replies", "residency", "npcs", "stats"];
  client.request({ type: "subscribe", topics, interval_s: intervalS }).catch(() => {});
}

function leaveWorld() {
  guest.leaveWorld();
  world.clear();
  aloneSinceMs = performance.now();
}

client.on("session", (welcome) => {
  leaveWorld();
  residency.reset();
  $("engine").textContent = [welcome.engine.name, welcome.engine.model, welcome.engine.device]
    .filter((part) => part && part !== "none")
    .join(" · ");
  offerWorlds(welcome.worlds ?? []);
  subscribe();
});
client.on("state", showState);
client.on("world_closed", leaveWorld);
client.on("npc_states", (message) => {
  world.takeStates(message, performance.now());
  const wanted = world.npcs.size > FEW_NPCS ? CROWD_INTERVAL_S : INTERVAL_S;
  if (world.complete && wanted !== intervalS) {
    intervalS = wanted;
    subscribe();
  }
});
client.on("stats", (stats) => residency.takeStats(stats, performance.now()));
client.on("moves", (message) => world.takeMoves(message));
client.on("reply_start", (message) => {
  world.takeReplyStart(message);
  panel.takeReplyStart(message);
});
client.on("reply_delta", (message) => {
  world.takeReplyDelta(message);
  panel.takeReplyDelta(message);
});
client.on("reply_end", (message) => {
  world.takeReplyEnd(message, performance.now());
  residency.takeReplyEnd(message);
});
client.connect();
addEventListener("pagehide", () => client.close());
addEventListener("pageshow", (event) => event.persisted && client.connect());

function offerWorlds(worlds) {
  const names = [...new Set([client.options.world, ...worlds])];
  const options = names.map((name) => new Option(name, name, false, name === client.options.world));
  $("worlds").replaceChildren(...options);
  const chosen = query.has("world") || worlds.includes(client.options.world);
  if (!chosen && worlds.length > 0) enter(worlds[0]);
}

function enter(name) {
  client.close();
  client.options.world = name;
  guest.place = null;
  guest.refusal = null;
  client.connect();
}

$("worlds").addEventListener("change", (event) => enter(event.target.value));

function showState(state) {
  const unauthorized = state === "refused" && client.error?.code === "unauthorized";
  const words = {
    connecting: "Connecting",
    open: "Live",
    waiting: "Reconnecting",
    refused: client.error?.message ?? "Refused",
    closed: "Closed",
  };
  $("status").textContent = words[state];
  $("status").dataset.state = state;
  $("token").hidden = !unauthorized;
}

$("token").addEventListener("submit", (event) => {
  event.preventDefault();
  client.options.token = new FormData(event.target).get("token");
  client.connect();
});

/** What has to be seen to now and then. */
function keepHouse(nowMs) {
  guest.joinIfNeeded();
  const alone = client.state === "open" && world.complete && world.npcs.size === 0;
  if (!alone) aloneSinceMs = nowMs;
  if (nowMs - aloneSinceMs > LOOK_AGAIN_MS) {
    client.close();
    client.connect();
  }
  if (world.npcs.size > 0 || client.state === "refused") $("empty").hidden = true;
  else if (alone) $("empty").hidden = false;
  if (!guest.id || !world.complete || world.players.has(guest.id)) guestSeenMs = nowMs;
  if (nowMs - guestSeenMs > LOST_GUEST_MS) guest.leaveWorld(); // the game sent us away
  $("summary").textContent = world.npcs.size ? `${world.npcs.size} NPCs` : "";
}

// --- keys and pointer ------------------------------------------------------------------------

const STEERING = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};
const held = new Set();

const COMMANDS = {
  Enter: talkToNearest,
  n: () => selectNext(1),
  p: () => selectNext(-1),
  g: () => world.selectedNpc && goTo(world.selectedNpc),
  "+": () => map.zoomBy(1.25),
  "=": () => map.zoomBy(1.25),
  "-": () => map.zoomBy(0.8),
  0: () => (map.fitted = true),
};

function steer() {
  guest.steering = [0, 0];
  for (const key of held) {
    guest.steering[0] += STEERING[key][0];
    guest.steering[1] += STEERING[key][1];
  }
  if (held.size) map.follow();
}

$("map").addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  guest.running = event.shiftKey;
  if (event.key in STEERING) held.add(event.key);
  else if (event.key in COMMANDS || event.key.toLowerCase() in COMMANDS) {
    (COMMANDS[event.key] ?? COMMANDS[event.key.toLowerCase()])();
  } else return;
  event.preventDefault();
  steer();
});
$("map").addEventListener("keyup", (event) => {
  guest.running = event.shiftKey;
  held.delete(event.key);
  steer();
});
$("map").addEventListener("blur", () => {
  held.clear();
  steer();
});

function talkToNearest() {
  const chosen = world.selectedNpc;
  const [near] = guest.id ? world.nearest(guest.place, 1) : [];
  const npc = chosen && guest.reaches(chosen) ? chosen : near;
  if (!npc) return hint(guest.refusal ?? "Nobody is here yet.");
  if (guest.reaches(npc)) return panel.open(npc);
  return hint(`Nobody is in reach; ${npc.name} is ${guest.awayFrom(npc).toFixed(0)} m away.`);
}

function selectNext(step) {
  if (!guest.place) return;
  const ids = world.nearest(guest.place, 30).map((npc) => npc.id);
  const at = ids.indexOf(world.selected);
  const next = at < 0 ? 0 : (at + step + ids.length) % ids.length;
  world.selected = ids[next] ?? null;
  if (world.selectedNpc) hint(`${world.selectedNpc.name}, ${world.selectedNpc.awayM.toFixed(0)} m`);
}

function goTo(npc) {
  map.follow();
  guest.walkUpTo(npc, () => panel.open(npc));
}

function hint(text) {
  $("hint").textContent = text;
  $("hint").hidden = false;
  clearTimeout(hint.timer);
  hint.timer = setTimeout(() => ($("hint").hidden = true), HINT_MS);
}

$("map").addEventListener("pointermove", (event) => {
  map.hovered = map.npcAt(event.offsetX, event.offsetY)?.id ?? null;
  $("map").style.cursor = map.hovered ? "pointer" : "crosshair";
});
$("map").addEventListener("click", (event) => {
  const npc = map.npcAt(event.offsetX, event.offsetY);
  if (npc) {
    panel.open(npc);
    goTo(npc);
  } else if (guest.id) guest.walkTo(map.toPlace(event.offsetX, event.offsetY));
});
$("map").addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    map.zoomBy(event.deltaY < 0 ? 1.15 : 1 / 1.15);
  },
  { passive: false },
);

// --- tabs ------------------------------------------------------------------------------------

const tabs = [...document.querySelectorAll("[role=tab]")];

function openTab(tab) {
  for (const other of tabs) {
    const selected = other === tab;
    other.setAttribute("aria-selected", String(selected));
    other.tabIndex = selected ? 0 : -1;
    $(other.getAttribute("aria-controls")).hidden = !selected;
  }
  residency.draw();
}

tabs.forEach((tab, index) => {
  tab.addEventListener("click", () => openTab(tab));
  tab.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const other = tabs[(index + 1) % tabs.length];
    openTab(other);
    other.focus();
  });
});

// --- the loop --------------------------------------------------------------------------------

let lastMs = performance.now();
let panelMs = 0;

function frame(nowMs) {
  const dtS = Math.min((nowMs - lastMs) / 1000, 0.1);
  lastMs = nowMs;
  window.callsheet.frames.count += 1;
  world.advance(nowMs);
  guest.step(dtS, nowMs);
  if (!$("town").hidden) {
    map.draw(nowMs, dtS);
    if (nowMs - panelMs > PANEL_EVERY_MS) {
      panelMs = nowMs;
      panel.update(nowMs);
    }
  }
  requestAnimationFrame(frame);
}

$("address").textContent = client.options.url;
setInterval(() => keepHouse(performance.now()), 200);
setInterval(() => residency.draw(), RESIDENCY_EVERY_MS);
requestAnimationFrame(frame);
$("map").focus();
