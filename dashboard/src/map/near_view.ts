/** Loads what near views show, tile by tile: land and water in detail, and the names of smaller places. */
import type { Feature, FeatureCollection, MultiPolygon, Point } from "geojson";
import type { GeoJSONSource, Map as MapLibre } from "maplibre-gl";
import { FOLDER, NEAR_ZOOM } from "./base_style";
import { coverOf } from "./quadbin";

type Place = [name: string, lon: number, lat: number, population: number];
interface Part {
  land: number[][][];
  water: number[][][];
  places: Place[];
}

const ZOOM = 5;
const UNITS = 1e4;
const parts = new Map<string, Promise<Part>>();
let cities: Promise<Place[]> | null = null;

async function load<Content>(name: string, ifMissing: Content): Promise<Content> {
  const response = await fetch(FOLDER + name).catch(() => null);
  return response?.ok ? ((await response.json()) as Content) : ifMissing;
}

function decode(numbers: readonly number[]): [number, number][] {
  const ring: [number, number][] = [];
  let [x, y] = [0, 0];
  for (let index = 0; index < numbers.length; index += 2) {
    x += numbers[index] ?? 0;
    y += numbers[index + 1] ?? 0;
    ring.push([x / UNITS, y / UNITS]);
  }
  if (ring[0]) ring.push(ring[0]);
  return ring;
}

function asFeature(kind: "land" | "water", polygons: readonly number[][][]): Feature<MultiPolygon> {
  const coordinates = polygons.map((rings) => rings.map(decode));
  return { type: "Feature", properties: { kind }, geometry: { type: "MultiPolygon", coordinates } };
}

function asPoint([name, lon, lat, population]: Place): Feature<Point> {
  return { type: "Feature", properties: { name, population }, geometry: { type: "Point", coordinates: [lon, lat] } };
}

/** Keep a map's sources `near` and `places` filled for where it looks; call it after every move. */
export function nearViewOf(map: MapLibre): () => Promise<void> {
  let shown = "";
  // Leaving the page removes the map, perhaps while its parts are still on their way.
  let isGone = false;
  map.once("remove", () => {
    isGone = true;
  });
  return async () => {
    const isNear = map.getZoom() >= NEAR_ZOOM - 0.5;
    const view = map.getBounds();
    const cover = coverOf([view.getWest(), view.getSouth(), view.getEast(), view.getNorth()], ZOOM);
    const keys: string[] = [];
    for (let x = cover.left; isNear && x < cover.right; x++) {
      for (let y = cover.top; y < cover.bottom; y++) keys.push(`${x}-${y}`);
    }
    const sources = ["near", "places"].map((name) => map.getSource<GeoJSONSource>(name));
    const [near, places] = sources;
    if (near === undefined || places === undefined) return;
    const wanted = keys.join(" ") || "far";
    if (wanted === shown) return;
    shown = wanted;
    const nothing: Part = { land: [], water: [], places: [] };
    cities ??= load<Place[]>("cities.json", []);
    for (const key of keys) if (!parts.has(key)) parts.set(key, load(`near/${key}.json`, nothing));
    const [large, ...loaded] = await Promise.all([cities, ...keys.map((key) => parts.get(key) ?? nothing)]);
    if (isGone || shown !== wanted || map.getSource("near") !== near) return;
    const small = (loaded as Part[]).flatMap((part) => part.places);
    const features = (loaded as Part[]).flatMap((part) => [asFeature("land", part.land), asFeature("water", part.water)]);
    near.setData({ type: "FeatureCollection", features } satisfies FeatureCollection);
    places.setData({ type: "FeatureCollection", features: [...(large as Place[]), ...small].map(asPoint) });
  };
}
