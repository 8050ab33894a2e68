import type { Layer } from "../address";
import { Icon } from "../shell/Icon";
import type { Slot } from "./colours";
import type { Tool } from "./drawing";

const LAYERS: readonly [Layer, string][] = [
  ["origins", "Origins"],
  ["destinations", "Destinations"],
  ["flows", "Flows"],
];
const TOOLS: readonly [Tool, string][] = [
  ["rectangle", "box"],
  ["polygon", "polygon"],
];
const HINTS: Record<Tool, string> = {
  rectangle: "Drag a box on the map",
  polygon: "Click the corners; click the first again to close it",
};

interface Props {
  layer: Layer;
  tool: [Tool, Slot] | null;
  canDraw: boolean;
  isCompared: boolean;
  onLayer(layer: Layer): void;
  onDraw(tool: Tool, slot: Slot): void;
  onCancel(): void;
}

/** What the map shows, and the pens to draw on it. */
export function MapTools({ layer, tool, canDraw, isCompared, onLayer, onDraw, onCancel }: Props) {
  const slots: readonly Slot[] = isCompared ? ["one", "two"] : ["one"];
  return (
    <div class="tools">
      <div class="segments floating" role="radiogroup" aria-label="What the map shows">
        {LAYERS.map(([value, name]) => (
          <label key={value}>
            <input type="radio" name="layer" checked={layer === value} onChange={() => onLayer(value)} />
            <span>{name}</span>
          </label>
        ))}
      </div>
      <div class="pens">
        {slots.map((slot) => (
          <div key={slot} class={`floating pen-group area-${slot}`} role="group" aria-label={slot === "one" ? "Draw an area" : "Draw the second area"}>
            {TOOLS.map(([value, name]) => {
              const isOn = tool?.[0] === value && tool[1] === slot;
              return (
                <button
                  key={value}
                  type="button"
                  class="pen"
                  aria-pressed={isOn}
                  disabled={!canDraw}
                  title={`Draw a ${name}`}
                  aria-label={`Draw a ${slot === "one" ? "" : "second "}${name}`}
                  onClick={() => (isOn ? onCancel() : onDraw(value, slot))}
                >
                  <Icon name={value === "rectangle" ? "box" : "polygon"} />
                  {isCompared && <span class="pen-slot">{slot === "one" ? "A" : "B"}</span>}
                </button>
              );
            })}
          </div>
        ))}
      </div>
      {tool !== null && (
        <p class="floating hint" role="status">
          {HINTS[tool[0]]}{" "}
          <button class="link" type="button" onClick={onCancel}>
            Cancel
          </button>
        </p>
      )}
    </div>
  );
}
