import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { address, go, type Layer } from "../address";
import { AnswerCard } from "../answer/AnswerCard";
import { useAnswer } from "../answer/use_answer";
import type { CellCounts, FlowPage } from "../api/documents";
import { ask } from "../api/client";
import { FilterPanel } from "../filters/FilterPanel";
import { asRequest, filterParameters, shapeBounds, type Asked, type Box, type Filter } from "../question";
import { Icon } from "../shell/Icon";
import { Welcome } from "../shell/Welcome";
import { theme } from "../theme";
import { knownRegion, warehouse, warehouseProblem, warehouseThere } from "../warehouse";
import type { Hover, MapCanvas, View } from "./canvas";
import type { Slot } from "./colours";
import type { Tool } from "./drawing";
import { Legend } from "./Legend";
import { boundsOf, coverOf, latOf, lonOf, tileOf } from "./quadbin";
import { Tooltip } from "./Tooltip";
import { MapTools } from "./MapTools";

/** Cells are so many zooms finer than the map, within what the API has: about eight pixels wide. */
const CELLS = { steps: 6, from: 8, to: 16 };
/** Flows are between larger ones; of many trips the API has none between cells that are small. */
const FLOWS = { steps: 3, from: 8, to: 18 };
const FLOWS_OF_MANY = { ...FLOWS, to: 13 };
const MANY_TRIPS = 3_000_000;
const MOST_FLOWS = 300;
/** Cells of this zoom, some ten kilometres wide, tell where a region is. */
const PLACE_ZOOM = 12;
/** What has less than this share of the busiest cell's trips lies outside the first view of a region. */
const PLACE_SHARE = 0.05;
const PATIENCE_MS = 1500;
const WORLD: Box = [-180, -85, 180, 85];

type Sheet = "answer" | "filters" | null;

function zoomFor(view: View, { steps, from, to }: typeof CELLS): number {
  return Math.max(from, Math.min(to, Math.round(view.camera.zoom) + steps));
}

// The tiles that cover the view, so that a small movement asks nothing new.
function boxAround(view: View): Box {
  return boundsOf(coverOf(view.bounds, Math.max(1, Math.round(view.camera.zoom) + 1)));
}

async function findRegion(filter: Filter, region: string): Promise<Box | null> {
  const parameters = { ...filterParameters({ ...filter, region, hours: null, weekdays: [] }), zoom: String(PLACE_ZOOM), match: "origin" };
  const { cells } = await ask<CellCounts>(asRequest("cells", parameters, { kind: "box", box: WORLD }).path);
  const most = Math.max(0, ...cells.map(({ trips }) => trips));
  const tiles = cells.filter(({ trips }) => trips >= most * PLACE_SHARE).map(({ cell }) => tileOf(cell));
  if (tiles.length === 0) return null;
  const [xs, ys] = [tiles.map(({ x }) => x), tiles.map(({ y }) => y)];
  const zoom = tiles[0]?.zoom ?? PLACE_ZOOM;
  return [
    lonOf(Math.min(...xs), zoom),
    latOf(Math.max(...ys) + 1, zoom),
    lonOf(Math.max(...xs) + 1, zoom),
    latOf(Math.min(...ys), zoom),
  ];
}

/** Where to look first: at the areas of the address, else where its region is, else where most trips are. */
async function firstView(): Promise<Box | null> {
  const { trips, regions } = await warehouseThere();
  const { shape, other, filter } = address.value;
  const drawn = [shape, other?.shape ?? null].filter((one) => one !== null);
  if (drawn.length > 0) return around(drawn.map(shapeBounds));
  const region = filter.region ?? regions[0]?.name;
  return trips === 0 || region === undefined ? null : findRegion(filter, region).catch(() => null);
}

/** What a promise gives, or null where it takes too long to wait for. */
function soon<Value>(promise: Promise<Value>): Promise<Value | null> {
  return Promise.race([promise, new Promise<null>((resolve) => setTimeout(() => resolve(null), PATIENCE_MS))]);
}

export function MapPage() {
  const place = useRef<HTMLDivElement>(null);
  const [canvas, setCanvas] = useState<MapCanvas | null>(null);
  const [canDraw, setCanDraw] = useState(false);
  const [view, setView] = useState<View | null>(null);
  const [hover, setHover] = useState<Hover | null>(null);
  const [tool, setTool] = useState<[Tool, Slot] | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [most, setMost] = useState(0);
  const [sheet, setSheet] = useState<Sheet>("answer");
  const { layer, filter, shape, other } = address.value;
  const isEmpty = warehouse.value?.trips === 0;

  useEffect(() => {
    let isGone = false;
    let made: MapCanvas | null = null;
    const showView = (view: View) => {
      if (isGone) return;
      setView(view);
      // While there are no trips no place is worth keeping.
      if (warehouse.value !== null && warehouse.value.trips > 0) go({ camera: view.camera });
    };
    void (async () => {
      try {
        const { camera } = address.value;
        const [{ MapCanvas }, box] = await Promise.all([import("./canvas"), camera === null ? soon(firstView()) : null]);
        if (isGone || place.current === null) return;
        const style = document.querySelector<HTMLMetaElement>('meta[name="tripsmith-map-style"]')?.content || null;
        made = new MapCanvas(place.current, theme.value, camera ?? box, {
          onLoad: () => setCanDraw(true),
          onView: showView,
          onHover: setHover,
          onShape: (slot, shape) => {
            const { other } = address.value;
            if (slot === "one") go({ shape });
            else go({ other: { region: other?.region ?? null, shape } });
          },
          onDrawn: () => setTool(null),
        }, style);
        setCanvas(made);
      } catch (error) {
        setFailure(error instanceof Error ? error.message : String(error));
      }
    })();
    return () => {
      isGone = true;
      made?.remove();
      setCanvas(null);
      setCanDraw(false);
    };
  }, [theme.value]);

  // Where trips are, if nothing has been shown of them yet; later, where the region is that is chosen.
  const regions = warehouse.value?.regions;
  const placedRegion = useRef(filter.region);
  useEffect(() => {
    if (canvas === null || regions === undefined || regions.length === 0) return;
    const isLost = address.value.camera === null;
    const isChosen = filter.region !== null && filter.region !== placedRegion.current;
    placedRegion.current = filter.region;
    if (isLost) void firstView().then((box) => box && canvas.fit(box, true));
    else if (isChosen) void findRegion(filter, filter.region ?? "").then((box) => box && canvas.fit(box), () => undefined);
  }, [canvas, regions, filter.region]);

  const isOneRegion = other === null || other.region === filter.region;
  const mapFilter = isOneRegion ? filter : { ...filter, region: null };
  const box = view && boxAround(view);
  const isReady = view !== null && box !== null && warehouse.value !== null && !isEmpty;
  const parameters = filterParameters(mapFilter);
  const trips = knownRegion(mapFilter.region)?.trips ?? warehouse.value?.trips ?? 0;
  const cellQuestion: Asked | null =
    isReady && layer !== "flows"
      ? asRequest("cells", { ...parameters, zoom: String(zoomFor(view, CELLS)), match: layer === "origins" ? "origin" : "destination" }, { kind: "box", box })
      : null;
  const flowQuestion: Asked | null =
    isReady && layer === "flows"
      ? asRequest(
          "flows",
          { ...parameters, zoom: String(zoomFor(view, trips > MANY_TRIPS ? FLOWS_OF_MANY : FLOWS)), limit: String(MOST_FLOWS), match: "either" },
          shape ?? { kind: "box", box: view.bounds.map((edge) => Number(edge.toFixed(3))) as unknown as Box },
        )
      : null;
  const cells = useAnswer<CellCounts>(cellQuestion);
  const flows = useAnswer<FlowPage>(flowQuestion);
  const isPending = cells.isPending || flows.isPending;
  const cellBox = useMemo(() => boxOf(cellQuestion), [cells.document]);

  useEffect(() => {
    if (canvas === null) return;
    if (layer !== "flows" && cells.document !== null && cellBox !== null) setMost(canvas.showCells(cells.document, cellBox, layer).most);
    else if (layer === "flows" && flows.document !== null) {
      canvas.showFlows(flows.document);
      setMost(Math.max(0, ...flows.document.flows.filter((flow) => flow.origin_cell !== flow.destination_cell).map((flow) => flow.trips)));
    } else if (cells.problem ?? flows.problem) canvas.clearTrips();
  }, [canvas, layer, cells.document, flows.document, cells.problem, flows.problem]);

  useEffect(() => canvas?.showShapes({ one: shape, two: other?.shape ?? null }), [canvas, shape, other?.shape]);

  const begin = useCallback(
    (tool: Tool, slot: Slot) => {
      setTool([tool, slot]);
      setSheet(null);
      canvas?.beginDrawing(tool, slot);
    },
    [canvas],
  );
  const cancel = useCallback(() => {
    setTool(null);
    canvas?.cancelDrawing();
  }, [canvas]);
  useEffect(() => {
    if (tool === null) return;
    const escape = (event: KeyboardEvent) => event.key === "Escape" && cancel();
    window.addEventListener("keydown", escape);
    return () => window.removeEventListener("keydown", escape);
  }, [tool, cancel]);

  const problem = warehouseProblem.value ?? cells.problem ?? flows.problem;
  const chooseLayer = (chosen: Layer) => {
    setHover(null);
    go({ layer: chosen });
  };
  const panels = isEmpty ? "is-empty" : sheet === null ? "" : `has-sheet sheet-${sheet}`;
  return (
    <div class={`map-page ${panels} ${tool === null ? "" : "is-drawing"}`}>
      <h1 class="only-heard">Map of trips</h1>
      <div ref={place} class="map" data-test="map" data-ready={canDraw && !isPending && (cells.document ?? flows.document) !== null} />
      {failure !== null && (
        <div class="map-failure">
          <p class="notice">
            <Icon name="alert" /> The map needs WebGL, which this browser does not offer. Filters, numbers and charts work without it.
          </p>
        </div>
      )}
      {isEmpty ? (
        <Welcome />
      ) : (
        <>
          <aside class="panel panel-filters" aria-label="Filters">
            <FilterPanel />
          </aside>
          <MapTools layer={layer} tool={tool} canDraw={canDraw} isCompared={other !== null} onLayer={chooseLayer} onDraw={begin} onCancel={cancel} />
          <aside class="panel panel-answer" aria-label="Answer">
            {problem !== null && problem.status !== 0 && (
              <p class="error" role="alert">
                {problem.message}
              </p>
            )}
            <AnswerCard canvas={canvas} />
          </aside>
          {most > 0 && failure === null && <Legend layer={layer} most={most} isPending={isPending} />}
          <div class="sheet-tabs">
            {(["answer", "filters"] as const).map((name) => (
              <button key={name} type="button" aria-expanded={sheet === name} onClick={() => setSheet(sheet === name ? null : name)}>
                <Icon name={name === "answer" ? "chart" : "filter"} /> {name === "answer" ? "Answer" : "Filters"}
              </button>
            ))}
          </div>
        </>
      )}
      {hover !== null && tool === null && <Tooltip hover={hover} layer={layer} />}
    </div>
  );
}

function around(boxes: readonly Box[]): Box {
  const edge = (index: 0 | 1 | 2 | 3, pick: (...edges: number[]) => number) => pick(...boxes.map((box) => box[index]));
  return [edge(0, Math.min), edge(1, Math.min), edge(2, Math.max), edge(3, Math.max)];
}

/** The box that a question was about. */
function boxOf(asked: Asked | null): Box | null {
  const text = asked && new URLSearchParams(asked.path.split("?")[1]).get("bbox");
  return text ? (text.split(",").map(Number) as unknown as Box) : null;
}
