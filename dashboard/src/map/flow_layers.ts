/** Flows between cells: bent lines, so that there and back lie apart; faint where they begin, strong where they end. */
import { PathLayer, ScatterplotLayer } from "@deck.gl/layers";
import type { PickingInfo } from "@deck.gl/core";
import type { Flow, Place } from "../api/documents";
import type { Theme } from "../theme";
import { rampOf } from "./colours";
import { columnOf, latOf, lonOf, rowOf } from "./quadbin";

const STEPS = 18;
/** How far a line bends, as a share of its length. */
const BEND = 0.16;
const THINNEST = 1;
const WIDEST = 11;
const FAINTEST = 0.25;

interface Ring {
  place: Place;
  trips: number;
}

function curve(origin: Place, destination: Place): [number, number][] {
  const [fromX, fromY] = [columnOf(origin.lon, 0), rowOf(origin.lat, 0)];
  const [toX, toY] = [columnOf(destination.lon, 0), rowOf(destination.lat, 0)];
  const [middleX, middleY] = [(fromX + toX) / 2 - (toY - fromY) * BEND, (fromY + toY) / 2 + (toX - fromX) * BEND];
  return Array.from({ length: STEPS + 1 }, (_, step) => {
    const there = step / STEPS;
    const back = 1 - there;
    const bend = (from: number, middle: number, to: number) => back * back * from + 2 * back * there * middle + there * there * to;
    return [lonOf(bend(fromX, middleX, toX), 0), latOf(bend(fromY, middleY, toY), 0)];
  });
}

export function flowLayers(
  flows: readonly Flow[],
  theme: Theme,
  beforeId: string | undefined,
  onHover: (info: PickingInfo<Flow | Ring>) => void,
) {
  const between = flows.filter((flow) => flow.origin_cell !== flow.destination_cell).reverse();
  const within = flows.filter((flow) => flow.origin_cell === flow.destination_cell);
  const most = Math.max(1, ...between.map((flow) => flow.trips));
  const mostWithin = Math.max(1, ...within.map((flow) => flow.trips));
  const ramp = rampOf(theme, "flows");
  const before = beforeId === undefined ? {} : { beforeId };
  return [
    new ScatterplotLayer<Ring>({
      id: "within",
      data: within.map((flow) => ({ place: flow.origin, trips: flow.trips })),
      getPosition: ({ place }) => [place.lon, place.lat],
      getRadius: ({ trips }) => 3 + 20 * Math.sqrt(trips / mostWithin),
      radiusUnits: "pixels",
      getFillColor: [...ramp(0.5), 50],
      getLineColor: [...ramp(0.7), 190],
      getLineWidth: 1.2,
      lineWidthUnits: "pixels",
      stroked: true,
      pickable: true,
      onHover,
      ...before,
    }),
    new PathLayer<Flow>({
      id: "flows",
      data: between,
      getPath: (flow) => curve(flow.origin, flow.destination),
      getColor: ((flow: Flow) => {
        const share = Math.sqrt(flow.trips / most);
        const strength = FAINTEST + (1 - FAINTEST) * share;
        return Array.from({ length: STEPS + 1 }, (_, step) => [...ramp(share), 255 * strength * (0.12 + (0.88 * step) / STEPS)]);
      }) as never,
      getWidth: (flow) => THINNEST + (WIDEST - THINNEST) * Math.sqrt(flow.trips / most),
      widthUnits: "pixels",
      capRounded: true,
      jointRounded: true,
      pickable: true,
      autoHighlight: true,
      highlightColor: theme === "dark" ? [255, 214, 102, 255] : [214, 73, 20, 255],
      onHover: onHover as (info: PickingInfo<Flow>) => void,
      ...before,
    }),
  ];
}
