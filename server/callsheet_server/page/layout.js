// Lays out a town to walk in: the same for the same world with the same people in the same places.
// Only looks: no game has told where its houses are.

import { dice, hash } from "./chance.js";

const CELL_M = 12; // in which people are counted
const PLACES_APART_M = 24;
const MAX_PLACES = 9;
const STEP_M = 2; // along a path
const OUTSKIRTS_M = 45; // of wood and meadow around everybody
const HOUSES_ABREAST = 11; // at most
const TREES_ABREAST = 36;

/**
 * @param {string} name of the world: the seed
 * @param {{x: number, y: number}[]} people
 * @param {{left: number, right: number, bottom: number, top: number}} box around them, in metres
 */
export function layOut(name, people, box) {
  const roll = dice(hash(name));
  const outer = grown(box, OUTSKIRTS_M);
  const places = findPlaces(people, box, roll);
  const paths = connect(places, outer, roll);
  const pond = findPond(people, places, box, roll);
  const walked = paths.flat();
  const houses = build(box, { people, places, walked, pond }, roll);
  const trees = plant(box, outer, { places, walked, pond, houses }, roll);
  return { outer, places, paths, pond, houses, trees };
}

/** The town without the houses and the pond that people walk through; itself if there are none. */
export function cleared(town, people) {
  const houses = town.houses.filter((house) => !people.some((person) => isUnder(house, person)));
  const { pond } = town;
  const isDry = pond && people.some((person) => away(pond, person) < pond.radiusM);
  if (houses.length === town.houses.length && !isDry) return town;
  return { ...town, houses, pond: isDry ? null : pond };
}

function isUnder({ x, y, wideM, deepM, turn }, person) {
  const [dx, dy] = [person.x - x, person.y - y];
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  return Math.abs(dx * cos + dy * sin) < wideM / 2 && Math.abs(dy * cos - dx * sin) < deepM / 2;
}

/** Where most people are, best first: squares of the town. */
function findPlaces(people, box, roll) {
  const counts = new Map();
  for (const { x, y } of people) {
    const cell = `${Math.floor((x - box.left) / CELL_M)},${Math.floor((y - box.bottom) / CELL_M)}`;
    counts.set(cell, (counts.get(cell) ?? 0) + 1);
  }
  const cells = [...counts].sort((a, b) => b[1] - a[1] || hash(a[0]) - hash(b[0]));
  const wanted = Math.min(MAX_PLACES, 2 + Math.sqrt(people.length) / 2);
  const places = [];
  for (const [cell] of cells) {
    if (places.length >= wanted) break;
    const [column, row] = cell.split(",").map(Number);
    const x = box.left + (column + 0.3 + 0.4 * roll()) * CELL_M;
    const y = box.bottom + (row + 0.3 + 0.4 * roll()) * CELL_M;
    if (places.every((place) => away(place, { x, y }) >= PLACES_APART_M)) {
      places.push({ x, y, radiusM: places.length === 0 ? 7.5 : 4 + 2 * roll() });
    }
  }
  return places;
}

/** Paths from every place to the nearest one before it, and two roads out of town. */
function connect(places, outer, roll) {
  const paths = places.slice(1).map((place, index) => {
    const before = places.slice(0, index + 1);
    return wind(place, before.reduce((a, b) => (away(place, a) <= away(place, b) ? a : b)), roll);
  });
  if (places.length === 0) return paths;
  const ends = [
    { x: outer.left, y: places[0].y + 30 * (roll() - 0.5) },
    { x: outer.right, y: places[0].y + 30 * (roll() - 0.5) },
  ];
  return [...paths, ...ends.map((end) => wind(places[0], end, roll))];
}

/** Points of a path that swings a little to one side. */
function wind(from, to, roll) {
  const length = Math.max(away(from, to), 1);
  const swing = (roll() - 0.5) * 0.35 * Math.min(length, 60);
  const [nx, ny] = [-(to.y - from.y) / length, (to.x - from.x) / length];
  const steps = Math.max(Math.ceil(length / STEP_M), 2);
  return Array.from({ length: steps + 1 }, (_, step) => {
    const t = step / steps;
    const aside = swing * Math.sin(Math.PI * t);
    return { x: from.x + (to.x - from.x) * t + nx * aside, y: from.y + (to.y - from.y) * t + ny * aside };
  });
}

/** The loneliest of a few spots. */
function findPond(people, places, box, roll) {
  const spots = Array.from({ length: 12 }, () => ({
    x: box.left + roll() * (box.right - box.left),
    y: box.bottom + roll() * (box.top - box.bottom),
    radiusM: 5 + 4 * roll(),
  }));
  const loneliness = (spot) => Math.min(...[...people, ...places].map((other) => away(spot, other)), 99);
  const pond = spots.reduce((a, b) => (loneliness(b) > loneliness(a) ? b : a));
  return loneliness(pond) > pond.radiusM ? pond : null;
}

function build(box, { people, places, walked, pond }, roll) {
  const cellM = Math.max(11, (box.right - box.left) / HOUSES_ABREAST);
  const houses = [];
  for (const spot of spots(grown(box, 6), cellM, roll)) {
    if (roll() > 0.62) continue;
    const house = { ...spot, wideM: 4.4 + 2.2 * roll(), deepM: 3.6 + 1.2 * roll(), roof: roll() };
    house.turn = (roll() - 0.5) * 0.5 + (roll() < 0.5 ? 0 : Math.PI / 2);
    const free =
      walked.every((point) => away(point, house) > 4.5) &&
      places.every((place) => away(place, house) > place.radiusM + 4) &&
      people.every((person) => away(person, house) > 3.5) &&
      (!pond || away(pond, house) > 1.2 * pond.radiusM + 5);
    if (free) houses.push(house);
  }
  return houses;
}

/** Few trees in town, many around it. */
function plant(box, outer, { places, walked, pond, houses }, roll) {
  const cellM = Math.max(5.5, (outer.right - outer.left) / TREES_ABREAST);
  const trees = [];
  for (const spot of spots(outer, cellM, roll)) {
    const outsideM = Math.max(box.left - spot.x, spot.x - box.right, box.bottom - spot.y, spot.y - box.top, 0);
    const tree = { ...spot, radiusM: 1.3 + 1.3 * roll(), shade: roll() };
    if (roll() > 0.16 + Math.min(outsideM / 30, 0.7)) continue;
    const free =
      walked.every((point) => away(point, tree) > 3) &&
      places.every((place) => away(place, tree) > place.radiusM + 1.5) &&
      houses.every((house) => away(house, tree) > 4.5) &&
      (!pond || away(pond, tree) > pond.radiusM + 1.5);
    if (free) trees.push(tree);
  }
  return trees.sort((a, b) => b.y - a.y);
}

/** One spot a cell, somewhere in it. */
function spots(box, cellM, roll) {
  const found = [];
  for (let y = box.bottom; y < box.top; y += cellM) {
    for (let x = box.left; x < box.right; x += cellM) {
      found.push({ x: x + roll() * cellM, y: y + roll() * cellM });
    }
  }
  return found;
}

function grown({ left, right, bottom, top }, byM) {
  return { left: left - byM, right: right + byM, bottom: bottom - byM, top: top + byM };
}

function away(a, b) {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
