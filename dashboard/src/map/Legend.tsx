import type { Layer } from "../address";
import { theme } from "../theme";
import { brief } from "../words";
import { stops } from "./colours";

const WORDS: Record<Layer, string> = { origins: "trips begin in a cell", destinations: "trips end in a cell", flows: "trips from cell to cell" };

export function Legend({ layer, most, isPending }: { layer: Layer; most: number; isPending: boolean }) {
  return (
    <div class={`legend floating ${isPending ? "is-pending" : ""}`}>
      <span class="ramp" style={{ background: `linear-gradient(to right, ${stops(theme.value, layer).join(", ")})` }} />
      <span class="ends">
        <span>1</span>
        <span>{brief(most)}</span>
      </span>
      <span class="quiet">
        {WORDS[layer]}
        {layer === "flows" && "; lines grow stronger towards the end"}
      </span>
    </div>
  );
}
