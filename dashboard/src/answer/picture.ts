/** The map as an image, with the answer written under it. */
import { saveAs } from "../download";
import type { MapCanvas } from "../map/canvas";

const SIZE = 15;
const LINE = 22;
const MARGIN = 16;

export async function savePicture(canvas: MapCanvas, words: string): Promise<void> {
  const map = await canvas.picture();
  const scale = window.devicePixelRatio;
  const lines = [...words.split("\n"), "Tripsmith · Natural Earth · © OpenStreetMap contributors · GeoNames"];
  const picture = document.createElement("canvas");
  const css = getComputedStyle(document.body);
  picture.width = map.width;
  picture.height = map.height + (lines.length * LINE + 2 * MARGIN) * scale;
  const context = picture.getContext("2d");
  if (context === null) return;
  context.fillStyle = css.getPropertyValue("--card-solid");
  context.fillRect(0, 0, picture.width, picture.height);
  context.drawImage(map, 0, 0);
  context.scale(scale, scale);
  lines.forEach((line, number) => {
    const isLast = number === lines.length - 1;
    context.fillStyle = css.getPropertyValue(isLast ? "--quiet" : "--ink");
    context.font = `${isLast ? 500 : 650} ${isLast ? SIZE - 3 : SIZE}px "Inter Variable", sans-serif`;
    context.fillText(line, MARGIN, map.height / scale + MARGIN + SIZE + number * LINE);
  });
  picture.toBlob((blob) => blob && saveAs(blob, "trips.png"), "image/png");
}
