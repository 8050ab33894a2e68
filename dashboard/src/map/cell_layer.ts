/** The heat: one pixel a cell in an image laid over the map, so that a hundred thousand cells cost no more than ten. */
import { BitmapLayer } from "@deck.gl/layers";
import type { CellCount, CellCounts } from "../api/documents";
import { logShare, rampOf } from "./colours";
import { boundsOf, columnOf, coverOf, rowOf, tileOf, type TileRange } from "./quadbin";
import type { Box } from "../question";
import type { Layer } from "../address";
import type { Theme } from "../theme";

// How opaque a cell is, by its trips: few must not hide the map.
const FAINTEST = 45;
const STRONGEST = 235;

export interface Heat {
  image: HTMLCanvasElement;
  range: TileRange;
  most: number;
  trips: Map<number, number>;
}

function keyOf(x: number, y: number, range: TileRange): number {
  return (y - range.top) * (range.right - range.left) + (x - range.left);
}

/** Draw the cells of an answer about a box. */
export function drawHeat(page: CellCounts, box: Box, theme: Theme, layer: Layer): Heat {
  const range = coverOf(box, page.zoom);
  const image = document.createElement("canvas");
  image.width = Math.max(1, range.right - range.left);
  image.height = Math.max(1, range.bottom - range.top);
  const most = page.cells.reduce((most: number, { trips }: CellCount) => Math.max(most, trips), 0);
  const ramp = rampOf(theme, layer);
  const pixels = new ImageData(image.width, image.height);
  const trips = new Map<number, number>();
  for (const cell of page.cells) {
    const { x, y } = tileOf(cell.cell);
    if (x < range.left || x >= range.right || y < range.top || y >= range.bottom) continue;
    const key = keyOf(x, y, range);
    const share = logShare(cell.trips, most);
    trips.set(key, cell.trips);
    pixels.data.set([...ramp(share), FAINTEST + (STRONGEST - FAINTEST) * share], key * 4);
  }
  image.getContext("2d")?.putImageData(pixels, 0, 0);
  return { image, range, most, trips };
}

export function heatLayer(heat: Heat, beforeId: string | undefined): BitmapLayer {
  return new BitmapLayer({
    id: "heat",
    image: heat.image,
    bounds: [...boundsOf(heat.range)] as [number, number, number, number],
    textureParameters: { minFilter: "nearest", magFilter: "nearest" },
    ...(beforeId === undefined ? {} : { beforeId }),
  });
}

/** Return the trips of the cell at a place; 0 where there are none. */
export function tripsAt(heat: Heat, lon: number, lat: number): number {
  const { range } = heat;
  const [x, y] = [Math.floor(columnOf(lon, range.zoom)), Math.floor(rowOf(lat, range.zoom))];
  if (x < range.left || x >= range.right || y < range.top || y >= range.bottom) return 0;
  return heat.trips.get(keyOf(x, y, range)) ?? 0;
}
