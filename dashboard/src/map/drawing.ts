/** Drawing boxes and polygons on a map, moving and resizing them. */
import type { Map as MapLibre } from "maplibre-gl";
import {
  TerraDraw,
  TerraDrawPolygonMode,
  TerraDrawRectangleMode,
  TerraDrawSelectMode,
  ValidateNotSelfIntersecting,
  type GeoJSONStoreFeatures,
  type HexColor,
} from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";
import { rounded, shapeAsText, type Shape } from "../question";
import type { Theme } from "../theme";
import { AREA_COLOURS, type Slot } from "./colours";

export type Tool = "rectangle" | "polygon";
export type Shapes = Record<Slot, Shape | null>;

export class Drawing {
  private readonly draw: TerraDraw;
  private readonly ids: Record<Slot, string | number | null> = { one: null, two: null };
  private drawn: Slot = "one";

  /** `onChange` is told of every change of a shape, while it is drawn, moved or resized too; `onEnd` of the end of drawing. */
  constructor(
    map: MapLibre,
    theme: Theme,
    private readonly onChange: (slot: Slot, shape: Shape | null) => void,
    private readonly onEnd: () => void,
  ) {
    const colour = (feature: GeoJSONStoreFeatures) => AREA_COLOURS[theme][this.slotOf(feature.id)] as HexColor;
    const handle = { selectionPointColor: colour, selectionPointOutlineColor: "#ffffff" as HexColor };
    const outline = { fillColor: colour, outlineColor: colour, fillOpacity: 0.1, outlineWidth: 2.5 };
    const moves = { draggable: true, coordinates: { draggable: true } };
    this.draw = new TerraDraw({
      adapter: new TerraDrawMapLibreGLAdapter({ map, coordinatePrecision: 9 }),
      modes: [
        new TerraDrawRectangleMode({ styles: outline, drawInteraction: "click-move-or-drag" }),
        new TerraDrawPolygonMode({ styles: outline, validation: isSimple }),
        new TerraDrawSelectMode({
          // Deleting is done by the panel, which can ask back; Escape only lets go of a shape.
          keyEvents: { deselect: "Escape", delete: null, rotate: null, scale: null },
          flags: {
            rectangle: { feature: { ...moves, coordinates: { resizable: "opposite" } } },
            polygon: { feature: { ...moves, coordinates: { draggable: true, midpoints: true, deletable: true } } },
          },
          styles: {
            ...handle,
            midPointColor: "#ffffff",
            selectedPolygonColor: colour,
            selectedPolygonOutlineColor: colour,
            selectedPolygonFillOpacity: 0.16,
            selectedPolygonOutlineWidth: 3,
            selectionPointWidth: 6,
          },
        }),
      ],
    });
    this.draw.start();
    this.draw.setMode("select");
    this.draw.on("change", (ids, type) => {
      // A polygon is none before it is closed; a box is one from the start.
      if (this.draw.getMode() === "polygon" || (type !== "create" && type !== "update")) return;
      ids.forEach((id) => this.report(id));
    });
    this.draw.on("finish", (id, { action }) => {
      if (action !== "draw") return;
      this.report(id);
      this.draw.setMode("select");
      this.draw.selectFeature(id);
      this.onEnd();
    });
  }

  /** Begin to draw a shape; the one that the slot had goes as soon as the new one begins. */
  begin(tool: Tool, slot: Slot): void {
    this.drawn = slot;
    this.draw.setMode(tool);
  }

  /** Stop drawing without a shape. */
  cancel(): void {
    if (this.draw.getMode() !== "select") this.draw.setMode("select");
  }

  /** Show these shapes and no others. */
  show(shapes: Shapes): void {
    for (const slot of ["one", "two"] as const) {
      const wanted = shapes[slot];
      const id = this.ids[slot];
      const present = id === null || !this.draw.hasFeature(id) ? null : asShape(this.draw.getSnapshotFeature(id));
      if ((wanted && shapeAsText(wanted)) === (present && shapeAsText(present))) continue;
      this.remove(slot);
      if (wanted !== null) this.add(slot, wanted);
    }
  }

  stop(): void {
    this.draw.stop();
  }

  private add(slot: Slot, shape: Shape): void {
    const id = this.draw.getFeatureId();
    this.ids[slot] = id;
    const ring = shape.kind === "box" ? corners(shape.box) : shape.ring;
    this.draw.addFeatures([
      {
        id,
        type: "Feature",
        properties: { mode: shape.kind === "box" ? "rectangle" : "polygon" },
        geometry: { type: "Polygon", coordinates: [[...ring, ring[0] ?? [0, 0]].map(([lon, lat]) => [lon, lat])] },
      },
    ]);
  }

  private remove(slot: Slot): void {
    const id = this.ids[slot];
    this.ids[slot] = null;
    if (id !== null && this.draw.hasFeature(id)) this.draw.removeFeatures([id]);
  }

  private report(id: string | number): void {
    const feature = this.draw.getSnapshotFeature(id);
    const shape = asShape(feature);
    if (shape === null) return;
    if (id !== this.ids.one && id !== this.ids.two) {
      if (this.draw.getMode() === "select") return;
      this.remove(this.drawn);
      this.ids[this.drawn] = id;
    }
    this.onChange(this.slotOf(id), shape);
  }

  private slotOf(id: unknown): Slot {
    if (id === this.ids.one) return "one";
    if (id === this.ids.two) return "two";
    return this.drawn;
  }
}

// A polygon whose lines cross cannot be closed. While it is drawn they may.
function isSimple(feature: GeoJSONStoreFeatures, { updateType }: { updateType: string }) {
  return updateType === "finish" ? ValidateNotSelfIntersecting(feature) : { valid: true };
}

function corners([west, south, east, north]: readonly [number, number, number, number]): [number, number][] {
  return [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
  ];
}

/** Return the shape of a drawn feature; null for helpers, and while it is no area. */
function asShape(feature: GeoJSONStoreFeatures | undefined): Shape | null {
  if (feature?.geometry.type !== "Polygon") return null;
  const ring = (feature.geometry.coordinates[0] ?? []).slice(0, -1).map(([lon, lat]) => [rounded(lon ?? 0), rounded(lat ?? 0)] as const);
  const lons = ring.map(([lon]) => lon);
  const lats = ring.map(([, lat]) => lat);
  const box = [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)] as const;
  if (ring.length < 3 || box[0] >= box[2] || box[1] >= box[3]) return null;
  if (feature.properties.mode === "rectangle") return { kind: "box", box };
  return ValidateNotSelfIntersecting(feature).valid ? { kind: "polygon", ring } : null;
}
