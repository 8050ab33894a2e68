/** Fills the base map as it is looked at: far views with the whole world, near ones tile by tile and with smaller places. */
import type { Feature, FeatureCollection, Geometry, Point, Position } from "geojson";
import type { GeoJSONSource, Map as MapLibre } from "maplibre-gl";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import { NEAR_ZOOM } from "./base_style";
import { coverOf } from "./quadbin";

type Place = [name: string, lon: number, lat: number, population: number];
interface Part {
  land: number[][][];
  water: number[][][];
  borders: number[][];
  places: Place[];
}
type Kind = "land" | "water" | "shore" | "border";

const FOLDER = `${import.meta.env.BASE_URL}basemap/`;
const ZOOM = 5;
const UNITS = 1e4;
const NOTHING: Part = { land: [], water: [], borders: [], places: [] };
const parts = new Map<string, Promise<Part>>();
let cities: Promise<Place[]> | null = null;
let world: Promise<Feature[]> | null = null;

async function load<Content>(name: string, ifMissing: Content): Promise<Content> {
  const response = await fetch(FOLDER + name).catch(() => null);
  return response?.ok ? ((await response.json()) as Content) : ifMissing;
}

function asFeature(kind: Kind, geometry: Geometry): Feature {
  return { type: "Feature", properties: { kind }, geometry };
}

async function loadWorld(): Promise<Feature[]> {
  const topology = await load<Topology | null>("world.json", null);
  const countries = topology?.objects["countries"] as GeometryCollection | undefined;
  if (topology === null || countries === undefined) return [];
  return [
    // Country by country: a whole continent has more corners than the map's triangulation takes without gaps.
    ...feature(topology, countries).features.map(({ geometry }) => asFeature("land", geometry)),
    asFeature("shore", mesh(topology, countries, (one, other) => one === other)),
    asFeature("border", mesh(topology, countries, (one, other) => one !== other)),
  ];
}

/** A line out of its differences, in degrees. */
function decode(numbers: readonly number[]): Position[] {
  const line: Position[] = [];
  let [x, y] = [0, 0];
  for (let index = 0; index < numbers.length; index += 2) {
    x += numbers[index] ?? 0;
    y += numbers[index + 1] ?? 0;
    line.push([x / UNITS, y / UNITS]);
  }
  return line;
}

function asRing(numbers: readonly number[]): Position[] {
  const line = decode(numbers);
  return line[0] ? [...line, line[0]] : line;
}

function asFeatures({ land, water, borders }: Part): Feature[] {
  const asPolygons = (polygons: number[][][]) => polygons.map((rings) => rings.map(asRing));
  return [
    asFeature("land", { type: "MultiPolygon", coordinates: asPolygons(land) }),
    asFeature("water", { type: "MultiPolygon", coordinates: asPolygons(water) }),
    asFeature("border", { type: "MultiLineString", coordinates: borders.map(decode) }),
  ];
}

function asPoint([name, lon, lat, population]: Place): Feature<Point> {
  return { type: "Feature", properties: { name, population }, geometry: { type: "Point", coordinates: [lon, lat] } };
}

/** Return what keeps a map's sources filled for where it looks, to be called after every move. */
export function baseDataOf(map: MapLibre): () => Promise<void> {
  let shown = "";
  let isWorldShown = false;
  // Leaving the page removes the map, perhaps while its parts are still on their way.
  let isGone = false;
  map.once("remove", () => {
    isGone = true;
  });
  const show = (name: string, features: Feature[]) => {
    const collection: FeatureCollection = { type: "FeatureCollection", features };
    map.getSource<GeoJSONSource>(name)?.setData(collection);
  };

  async function showWorld(): Promise<void> {
    isWorldShown = true;
    world ??= loadWorld();
    const features = await world;
    if (!isGone) show("world", features);
  }

  async function showNear(keys: readonly string[]): Promise<void> {
    const wanted = keys.join(" ") || "far";
    if (wanted === shown) return;
    shown = wanted;
    cities ??= load<Place[]>("cities.json", []);
    for (const key of keys) if (!parts.has(key)) parts.set(key, load(`near/${key}.json`, NOTHING));
    const [large, ...loaded] = await Promise.all([cities, ...keys.map((key) => parts.get(key) ?? NOTHING)] as const);
    if (isGone || shown !== wanted) return;
    const small = (loaded as Part[]).flatMap((part) => part.places);
    show("near", (loaded as Part[]).flatMap(asFeatures));
    show("places", [...large, ...small].map(asPoint));
  }

  return async () => {
    // A style of someone else's brings its own.
    if (map.getSource("near") === undefined) return;
    const isNear = map.getZoom() >= NEAR_ZOOM - 0.5;
    const view = map.getBounds();
    const cover = coverOf([view.getWest(), view.getSouth(), view.getEast(), view.getNorth()], ZOOM);
    const keys: string[] = [];
    for (let x = cover.left; isNear && x < cover.right; x++) {
      for (let y = cover.top; y < cover.bottom; y++) keys.push(`${x}-${y}`);
    }
    await Promise.all([showNear(keys), isWorldShown || map.getZoom() > NEAR_ZOOM ? null : showWorld()]);
  };
}
