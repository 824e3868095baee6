// Puts the page together: one session, its tabs, one loop.
//
// Address: /?world=town&name=Ann&day_s=480#token=SECRET. All parts may be left out.

import { Camera } from "./camera.js";
import { Connection } from "./connection.js";
import { Controls } from "./controls.js";
import { Daylight } from "./daylight.js";
import { Feed } from "./feed.js";
import { Guest } from "./guest.js";
import { TownMap } from "./map.js";
import { Nearby } from "./nearby.js";
import { Client } from "./protocol.js";
import { Race } from "./race.js";
import { ResidencyTab } from "./residency.js";
import { Shelves } from "./shelves.js";
import { connectTabs } from "./tabs.js";
import { TalkPanel } from "./talk.js";
import { World } from "./world.js";

const VERSION = "1";
const DEFAULT_WORLD = "town";
const FEW_NPCS = 300;
const INTERVAL_S = 0.1; // between two pictures of the world
const CROWD_INTERVAL_S = 0.25; // where pictures are large
const LOST_GUEST_MS = 3000;
const FIGURES_EVERY_MS = 500;
const PANEL_EVERY_MS = 120;
const HINT_MS = 4000;
const NARROW = matchMedia("(max-width: 820px)");

const $ = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const token = new URLSearchParams(location.hash.slice(1)).get("token");

/** The WebSocket beside this page, behind whatever prefix a proxy has put it. */
function socketUrl() {
  const { protocol, host, pathname } = new URL("./", location.href);
  return `${protocol === "https:" ? "wss" : "ws"}://${host}${pathname}`;
}

const client = new Client({
  url: socketUrl(),
  world: query.get("world") ?? DEFAULT_WORLD,
  token,
  name: "callsheet-page",
  version: VERSION,
});
const world = new World();
const guest = new Guest(client, world, query.get("name") ?? "Visitor");
const camera = new Camera(world, guest);
const daylight = new Daylight(Number(query.get("day_s")));
const map = new TownMap($("map"), { world, guest, camera, daylight });
const residency = new ResidencyTab($("residency"), client, world);
const race = new Race($("race"), client, world);
const shelves = new Shelves($("shelves"), world);
const feed = new Feed($("feed"), world, (timeS) => daylight.clock(timeS));
const nearby = new Nearby($("nearby"), world, guest, goTo);
const panel = new TalkPanel(
  {
    card: $("card"),
    nobody: $("nobody"),
    news: $("news"),
    name: $("npc-name"),
    reasons: $("reasons"),
    remembers: $("remembers"),
    window: $("log-window"),
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
const connection = new Connection(
  {
    status: $("status"),
    token: $("token"),
    empty: $("empty"),
    snippet: $("snippet"),
    address: $("address"),
    lost: $("lost"),
    words: $("lost-words"),
    town: $("town"),
  },
  client,
  world,
);

/** For the console and for tests. */
window.callsheet = { client, world, guest, map, camera, race, shelves, frames: { count: 0 } };

// --- the session -----------------------------------------------------------------------------

let intervalS = INTERVAL_S;
let guestSeenMs = 0;

function subscribe() {
  const topics = ["replies", "residency", "npcs", "stats"];
  client.request({ type: "subscribe", topics, interval_s: intervalS }).catch(() => {});
}

function leaveWorld() {
  guest.leaveWorld();
  world.clear();
  map.ground.clear();
  feed.clear();
  connection.leaveWorld();
}

client.on("session", (welcome) => {
  leaveWorld();
  residency.reset();
  race.abandon();
  $("engine").textContent = [welcome.engine.name, welcome.engine.model, welcome.engine.device]
    .filter((part) => part && part !== "none")
    .join(" · ");
  $("pretends").hidden = welcome.engine.name !== "scripted";
  offerWorlds(welcome.worlds ?? []);
  subscribe();
});
client.on("world_closed", leaveWorld);
client.on("npc_states", (message) => {
  const beforeS = world.gameTimeS;
  world.takeStates(message, performance.now());
  feed.takeTime(beforeS, world.gameTimeS);
  map.ground.settle(client.options.world);
  map.ground.giveWay(performance.now());
  const wanted = world.npcs.size > FEW_NPCS ? CROWD_INTERVAL_S : INTERVAL_S;
  if (world.complete && wanted !== intervalS) {
    intervalS = wanted;
    subscribe();
  }
});
client.on("stats", (stats) => {
  residency.takeStats(stats, performance.now());
  race.takeStats(stats);
});
client.on("moves", (message) => {
  world.takeMoves(message);
  feed.takeMoves(message, performance.now());
});
client.on("reply_start", (message) => {
  world.takeReplyStart(message, performance.now());
  panel.takeReplyStart(message);
  race.takeReplyStart(message);
});
client.on("reply_delta", (message) => {
  world.takeReplyDelta(message);
  panel.takeReplyDelta(message);
});
client.on("reply_end", (message) => {
  world.takeReplyEnd(message, performance.now());
  feed.takeReplyEnd(message);
  residency.takeReplyEnd(message);
  race.takeReplyEnd(message);
});
client.on("action", (message) => {
  feed.takeAction(message);
  panel.takeAction(message);
});
client.on("saved", (message) => feed.takeSaved(message));
client.on("loaded", (message) => {
  world.rewind(message.time_s);
  feed.takeLoaded(message);
});
client.connect();
addEventListener("pagehide", () => {
  race.stop();
  client.close();
});
addEventListener("pageshow", (event) => event.persisted && client.connect());

function offerWorlds(worlds) {
  const names = [...new Set([client.options.world, ...worlds])];
  const options = names.map((name) => new Option(name, name, false, name === client.options.world));
  $("worlds").replaceChildren(...options);
  const isChosen = query.has("world") || worlds.includes(client.options.world);
  if (!isChosen && worlds.length > 0) enter(worlds[0]);
}

function enter(name) {
  client.close();
  client.options.world = name;
  guest.place = null;
  guest.refusal = null;
  client.connect();
}

$("worlds").addEventListener("change", (event) => enter(event.target.value));

/** What has to be seen to now and then. */
function keepHouse(nowMs) {
  guest.joinIfNeeded();
  connection.update(nowMs);
  if (!guest.id || !world.complete || world.players.has(guest.id)) guestSeenMs = nowMs;
  if (nowMs - guestSeenMs > LOST_GUEST_MS) guest.leaveWorld(); // the game sent us away
  $("summary").textContent = world.npcs.size ? `${world.npcs.size} NPCs` : "";
  $("clock").hidden = world.npcs.size === 0;
  $("clock").textContent = daylight.clock(world.gameTimeS);
}

// --- what keys, taps and buttons do ----------------------------------------------------------

new Controls($("map"), { guest, camera, map }, { talk, next, goTo, release });
$("zoom-in").addEventListener("click", () => camera.zoomBy(1.5));
$("zoom-out").addEventListener("click", () => camera.zoomBy(1 / 1.5));
$("zoom-all").addEventListener("click", () => camera.fit());
$("release").addEventListener("click", release);

/** Talk to whoever is chosen and near, else to the nearest. */
function talk() {
  const chosen = world.selectedNpc;
  const [near] = guest.id ? world.nearest(guest.place, 1) : [];
  const npc = chosen && guest.reaches(chosen) ? chosen : near;
  if (!npc) return hint(guest.refusal ?? "Nobody is here yet.");
  if (guest.reaches(npc)) return panel.open(npc);
  return hint(`Nobody is in reach; ${npc.name} is ${guest.awayFrom(npc).toFixed(0)} m away.`);
}

function next(step) {
  if (!guest.place) return;
  const ids = world.nearest(guest.place, 30).map((npc) => npc.id);
  const at = ids.indexOf(world.selected);
  const index = at < 0 ? 0 : (at + step + ids.length) % ids.length;
  world.selected = ids[index] ?? null;
  if (world.selectedNpc) hint(`${world.selectedNpc.name}, ${world.selectedNpc.awayM.toFixed(0)} m`);
}

/** Walk up to an NPC, or to the one that is chosen, and talk to it. */
function goTo(npc) {
  const goal = npc ?? world.selectedNpc;
  if (!goal) return;
  panel.show(goal);
  camera.follow();
  guest.walkUpTo(goal, () => panel.open(goal));
}

function release() {
  panel.show(null);
  $("map").focus();
}

function hint(text) {
  $("hint").textContent = text;
  $("hint").hidden = false;
  clearTimeout(hint.timer);
  hint.timer = setTimeout(() => ($("hint").hidden = true), HINT_MS);
}

const openTab = connectTabs([...document.querySelectorAll("[role=tab]")], () => residency.draw());
$("to-race").addEventListener("click", () => {
  openTab($("tab-race"));
  race.start();
});
$("legend").open = !NARROW.matches;
if (NARROW.matches) camera.follow(); // all of a town is too small there

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
      nearby.update(nowMs);
    }
  }
  race.draw(nowMs);
  if (!$("race").hidden) shelves.draw(nowMs, dtS);
  requestAnimationFrame(frame);
}

setInterval(() => keepHouse(performance.now()), 200);
setInterval(() => residency.draw(), FIGURES_EVERY_MS);
requestAnimationFrame(frame);
$("map").focus();
