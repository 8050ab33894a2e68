import type { Layer } from "../address";
import { count } from "../words";
import type { Hover } from "./canvas";

export function Tooltip({ hover, layer }: { hover: Hover; layer: Layer }) {
  const words = {
    cell: layer === "origins" ? "begin in this cell" : "end in this cell",
    flow: "go this way",
    within: "begin and end in this cell",
  };
  return (
    <div class="tooltip" style={{ transform: `translate(${hover.x}px, ${hover.y}px)` }}>
      <p>
        <strong>{count(hover.trips)}</strong> {hover.trips === 1 ? "trip" : "trips"} {words[hover.kind]}
      </p>
    </div>
  );
}
