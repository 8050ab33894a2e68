/** Cells as the API names them: quadbins in hexadecimal digits. */
import type { Box } from "../question";

export interface Tile {
  zoom: number;
  x: number;
  y: number;
}

const DEEPEST = 26;

function everySecondBit(bits: number): number {
  let kept = bits & 0x55555555;
  kept = (kept | (kept >>> 1)) & 0x33333333;
  kept = (kept | (kept >>> 2)) & 0x0f0f0f0f;
  kept = (kept | (kept >>> 4)) & 0x00ff00ff;
  return (kept | (kept >>> 8)) & 0x0000ffff;
}

/** Return the tile of a quadbin. In two halves, since a number does not hold 64 bits and BigInt is slow. */
export function tileOf(cell: string): Tile {
  const high = Number.parseInt(cell.slice(0, -8), 16);
  const low = Number.parseInt(cell.slice(-8), 16);
  const zoom = (high >>> 20) & 31;
  const top = high & 0xfffff;
  const x = (everySecondBit(top) << 16) | everySecondBit(low);
  const y = (everySecondBit(top >>> 1) << 16) | everySecondBit(low >>> 1);
  return { zoom, x: x >>> (DEEPEST - zoom), y: y >>> (DEEPEST - zoom) };
}

export function lonOf(x: number, zoom: number): number {
  return (x / 2 ** zoom) * 360 - 180;
}

export function latOf(y: number, zoom: number): number {
  return (Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / 2 ** zoom))) * 180) / Math.PI;
}

/** Return the column of a longitude at a zoom, with a fraction. */
export function columnOf(lon: number, zoom: number): number {
  return ((lon + 180) / 360) * 2 ** zoom;
}

/** Return the row of a latitude at a zoom, with a fraction. */
export function rowOf(lat: number, zoom: number): number {
  const sine = Math.sin((Math.max(-85.0511, Math.min(85.0511, lat)) * Math.PI) / 180);
  return (0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)) * 2 ** zoom;
}

export interface TileRange {
  zoom: number;
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Return the tiles of a zoom that cover a box; right and bottom are past the last. */
export function coverOf([west, south, east, north]: Box, zoom: number): TileRange {
  const size = 2 ** zoom;
  const within = (value: number) => Math.max(0, Math.min(size, value));
  return {
    zoom,
    left: within(Math.floor(columnOf(west, zoom))),
    top: within(Math.floor(rowOf(north, zoom))),
    right: within(Math.ceil(columnOf(east, zoom))),
    bottom: within(Math.ceil(rowOf(south, zoom))),
  };
}

export function boundsOf(range: TileRange): Box {
  const { zoom } = range;
  return [lonOf(range.left, zoom), latOf(range.bottom, zoom), lonOf(range.right, zoom), latOf(range.top, zoom)];
}
