/** The base map in light and dark: land, water, borders and names, all from our own host. */
import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl";
import type { Theme } from "../theme";

/** From this zoom on, land and water are shown in detail. */
export const NEAR_ZOOM = 7;
/** Trips are drawn below this layer, so that names stay readable. */
export const FIRST_LABEL = "places";

const FONT = ["Inter Variable"];

interface Palette {
  water: string;
  land: string;
  shore: string;
  border: string;
  name: string;
  faintName: string;
  halo: string;
}

const PALETTES: Record<Theme, Palette> = {
  dark: {
    water: "#0a111c",
    land: "#161d29",
    shore: "#243044",
    border: "#3a475c",
    name: "#c9d3e3",
    faintName: "#a7b3c6",
    halo: "#0d131d",
  },
  light: {
    water: "#cfdfe9",
    land: "#f7f6f2",
    shore: "#b9cbd7",
    border: "#bdb9ae",
    name: "#2f3a48",
    faintName: "#515c6b",
    halo: "#ffffff",
  },
};

// The smaller a place, the nearer the view that names it.
const isNamed: ExpressionSpecification = [
  "step",
  ["zoom"],
  [">=", ["get", "population"], 4_000_000],
  3,
  [">=", ["get", "population"], 1_500_000],
  4.5,
  [">=", ["get", "population"], 700_000],
  6,
  [">=", ["get", "population"], 400_000],
  7,
  [">=", ["get", "population"], 100_000],
  8,
  [">=", ["get", "population"], 30_000],
  9.5,
  [">=", ["get", "population"], 8_000],
  11,
  true,
];

export function baseStyle(theme: Theme): StyleSpecification {
  const palette = PALETTES[theme];
  const empty = { type: "FeatureCollection" as const, features: [] };
  const isKind = (kind: string): ExpressionSpecification => ["==", ["get", "kind"], kind];
  const layers: LayerSpecification[] = [
    { id: "background", type: "background", paint: { "background-color": palette.water } },
    {
      id: "land-far",
      type: "fill",
      source: "world",
      maxzoom: NEAR_ZOOM,
      filter: isKind("land"),
      paint: { "fill-color": palette.land, "fill-antialias": false },
    },
    {
      id: "shores-far",
      type: "line",
      source: "world",
      maxzoom: NEAR_ZOOM,
      filter: isKind("shore"),
      paint: { "line-color": palette.shore, "line-width": 0.8 },
    },
    {
      id: "land-near",
      type: "fill",
      source: "near",
      minzoom: NEAR_ZOOM,
      filter: isKind("land"),
      paint: { "fill-color": palette.land, "fill-antialias": false },
    },
    {
      id: "water-near",
      type: "fill",
      source: "near",
      minzoom: NEAR_ZOOM,
      filter: isKind("water"),
      paint: { "fill-color": palette.water },
    },
    {
      id: "borders-far",
      type: "line",
      source: "world",
      maxzoom: NEAR_ZOOM,
      filter: isKind("border"),
      paint: { "line-color": palette.border, "line-width": 0.8 },
    },
    {
      id: "borders-near",
      type: "line",
      source: "near",
      minzoom: NEAR_ZOOM,
      filter: isKind("border"),
      paint: { "line-color": palette.border, "line-width": 1.2, "line-dasharray": [3, 2] },
    },
    {
      id: FIRST_LABEL,
      type: "symbol",
      source: "places",
      filter: isNamed,
      layout: {
        "text-field": ["get", "name"],
        "text-font": FONT,
        "text-size": ["interpolate", ["linear"], ["log10", ["max", 1000, ["get", "population"]]], 3, 10.5, 5, 12.5, 7, 18],
        "text-max-width": 8,
        "text-padding": 6,
        "symbol-sort-key": ["-", ["get", "population"]],
      },
      paint: {
        "text-color": ["step", ["get", "population"], palette.faintName, 300_000, palette.name],
        "text-halo-color": palette.halo,
        "text-halo-width": 1.6,
        "text-halo-blur": 0.4,
      },
    },
  ];
  return {
    version: 8,
    sources: {
      world: {
        type: "geojson",
        data: empty,
        attribution: "Natural Earth · © OpenStreetMap contributors · GeoNames",
      },
      near: { type: "geojson", data: empty, tolerance: 0.2 },
      places: { type: "geojson", data: empty },
    },
    layers,
  };
}
