/** The map itself: base map, trips on it, drawing. Loaded on its own, since the map library is large. */
import "maplibre-gl/dist/maplibre-gl.css";
import type { PickingInfo } from "@deck.gl/core";
import { MapboxOverlay } from "@deck.gl/mapbox";
import { AttributionControl, Map as MapLibre, NavigationControl, ScaleControl } from "maplibre-gl";
import type { CellCounts, FlowPage, Flow } from "../api/documents";
import type { Camera, Layer } from "../address";
import { rounded, type Box } from "../question";
import type { Theme } from "../theme";
import { baseStyle, FIRST_LABEL } from "./base_style";
import { drawHeat, heatLayer, tripsAt, type Heat } from "./cell_layer";
import { Drawing, type Shapes, type Tool } from "./drawing";
import { flowLayers } from "./flow_layers";
import { baseDataOf } from "./base_data";
import type { Slot } from "./colours";

export interface View {
  camera: Camera;
  bounds: Box;
}

/** What lies under the pointer, and where that is on the screen. */
export type Hover = { x: number; y: number } & ({ kind: "cell"; trips: number } | { kind: "flow"; trips: number } | { kind: "within"; trips: number });

export interface CanvasEvents {
  /** The map is there, and can be drawn on. */
  onLoad(): void;
  onView(view: View): void;
  onHover(hover: Hover | null): void;
  onShape: ConstructorParameters<typeof Drawing>[2];
  onDrawn(): void;
}

const EUROPE: Camera = { lon: 11, lat: 49, zoom: 3.4 };
const FIT_PADDING = 60;
const WIDE = 900;

function corners([west, south, east, north]: Box): [[number, number], [number, number]] {
  return [
    [west, south],
    [east, north],
  ];
}

/** How a box is fitted in: panels lie over the map, at both sides where there is room for them, else over its lower half. */
function fitting({ clientWidth: width, clientHeight: height }: HTMLElement) {
  const padding =
    width > WIDE
      ? { top: FIT_PADDING + 50, bottom: FIT_PADDING, left: 340, right: 400 }
      : { top: FIT_PADDING + 10, bottom: Math.min(480, height * 0.56) + 60, left: 16, right: 16 };
  return { padding, maxZoom: 13 };
}

function isDrawnByProcessor(): boolean {
  const context = document.createElement("canvas").getContext("webgl2");
  const names = context?.getExtension("WEBGL_debug_renderer_info");
  const renderer = names ? String(context?.getParameter(names.UNMASKED_RENDERER_WEBGL)) : "";
  context?.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|software|basic render/i.test(renderer);
}

export class MapCanvas {
  private readonly map: MapLibre;
  private readonly overlay = new MapboxOverlay({ interleaved: true, layers: [] });
  private drawing: Drawing | null = null;
  private shapes: Shapes = { one: null, two: null };
  private tool: [Tool, Slot] | null = null;
  private heat: Heat | null = null;
  private show: (() => void) | null = null;
  private isHidden = false;

  constructor(
    container: HTMLElement,
    private readonly theme: Theme,
    start: Camera | Box | null,
    private readonly events: CanvasEvents,
    styleUrl: string | null,
  ) {
    const view = start ?? EUROPE;
    const map = new MapLibre({
      container,
      style: styleUrl ?? baseStyle(theme),
      ...("lon" in view
        ? { center: [view.lon, view.lat] as [number, number], zoom: view.zoom }
        : { bounds: corners(view), fitBoundsOptions: fitting(container) }),
      minZoom: 1,
      maxZoom: 17,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      // Where the processor draws, smooth edges take a third of the first view's time.
      canvasContextAttributes: { antialias: !isDrawnByProcessor() },
    });
    this.map = map;
    map.touchZoomRotate.disableRotation();
    map.keyboard.disableRotation();
    map.addControl(new AttributionControl({ compact: true }), "bottom-right");
    map.addControl(new NavigationControl({ showCompass: false }), "bottom-right");
    map.addControl(new ScaleControl(), "bottom-right");
    map.addControl(this.overlay);
    const loadBase = baseDataOf(map);
    map.on("load", () => {
      this.drawing = new Drawing(map, theme, events.onShape, () => {
        this.tool = null;
        events.onDrawn();
      });
      this.drawing.show(this.shapes);
      if (this.tool) this.drawing.begin(...this.tool);
      this.show?.();
      void loadBase();
      events.onLoad();
    });
    map.on("move", () => events.onView(this.view()));
    map.on("moveend", () => void loadBase());
    map.on("mousemove", (event) => this.hoverCell(event.point.x, event.point.y, event.lngLat.lng, event.lngLat.lat));
    map.on("click", (event) => this.hoverCell(event.point.x, event.point.y, event.lngLat.lng, event.lngLat.lat));
    map.on("mouseout", () => events.onHover(null));
    map.on("movestart", () => events.onHover(null));
    events.onView(this.view());
  }

  view(): View {
    const [bounds, center] = [this.map.getBounds(), this.map.getCenter()];
    const within = (degrees: number) => Math.max(-180, Math.min(180, degrees));
    return {
      camera: { lon: center.lng, lat: center.lat, zoom: this.map.getZoom() },
      bounds: [within(bounds.getWest()), bounds.getSouth(), within(bounds.getEast()), bounds.getNorth()],
    };
  }

  fit(box: Box, isAtOnce = false): void {
    this.map.fitBounds(corners(box), { ...fitting(this.map.getContainer()), ...(isAtOnce ? { duration: 0 } : {}) });
  }

  showCells(page: CellCounts, box: Box, layer: Layer): Heat {
    const heat = drawHeat(page, box, this.theme, layer);
    this.heat = heat;
    this.render(() => this.overlay.setProps({ layers: [heatLayer(heat, this.firstLabel())] }));
    return heat;
  }

  showFlows(page: FlowPage): void {
    this.heat = null;
    this.render(() => this.overlay.setProps({ layers: flowLayers(page.flows, this.theme, this.firstLabel(), (info) => this.hoverFlow(info)) }));
  }

  clearTrips(): void {
    this.heat = null;
    this.render(() => this.overlay.setProps({ layers: [] }));
  }

  showShapes(shapes: Shapes): void {
    this.shapes = shapes;
    this.drawing?.show(shapes);
  }

  beginDrawing(tool: Tool, slot: Slot): void {
    this.tool = [tool, slot];
    this.drawing?.begin(tool, slot);
  }

  cancelDrawing(): void {
    this.tool = null;
    this.drawing?.cancel();
  }

  /** Return a box in the middle of the view, for those who cannot drag one. */
  middle(): Box {
    const [west, south, east, north] = this.view().bounds;
    const [width, height] = [(east - west) / 6, (north - south) / 6];
    const [lon, lat] = [(west + east) / 2, (south + north) / 2];
    return [rounded(lon - width), rounded(lat - height), rounded(lon + width), rounded(lat + height)];
  }

  /** Return what the map shows as an image. */
  picture(): Promise<HTMLCanvasElement> {
    return new Promise((resolve) => {
      this.map.once("render", () => {
        const source = this.map.getCanvas();
        const copy = document.createElement("canvas");
        [copy.width, copy.height] = [source.width, source.height];
        copy.getContext("2d")?.drawImage(source, 0, 0);
        resolve(copy);
      });
      this.map.triggerRepaint();
    });
  }

  remove(): void {
    this.isHidden = true;
    this.drawing?.stop();
    this.map.remove();
  }

  private firstLabel(): string | undefined {
    if (this.map.getLayer(FIRST_LABEL)) return FIRST_LABEL;
    return this.map.getStyle().layers.find((layer) => layer.type === "symbol")?.id;
  }

  // Layers go between those of the style, which has to be there first.
  private render(show: () => void): void {
    this.show = show;
    if (this.drawing !== null && !this.isHidden) show();
  }

  private hoverCell(x: number, y: number, lon: number, lat: number): void {
    if (this.heat === null) return;
    const trips = tripsAt(this.heat, lon, lat);
    this.events.onHover(trips > 0 ? { x, y, kind: "cell", trips } : null);
  }

  private hoverFlow(info: PickingInfo<Flow | { trips: number }>): void {
    const { object, x, y } = info;
    if (!object) this.events.onHover(null);
    else this.events.onHover({ x, y, kind: "origin" in object ? "flow" : "within", trips: object.trips });
  }
}
