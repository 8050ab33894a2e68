/** Colours on the map: a ramp for each layer and theme, dark to bright on dark ground, bright to dark on light. */
import type { Layer } from "../address";
import type { Theme } from "../theme";

export type Colour = [number, number, number];
export type Slot = "one" | "two";

const RAMPS: Record<Theme, Record<Layer, string[]>> = {
  dark: {
    origins: ["#123047", "#0f5f78", "#1a9a96", "#6fd69b", "#f4ffc2"],
    destinations: ["#34154f", "#74207a", "#bd3768", "#f37f4c", "#ffeaa8"],
    flows: ["#274472", "#3a78b5", "#56b4d8", "#9fe3e0", "#f5fff4"],
  },
  light: {
    origins: ["#cfeadd", "#86cdbf", "#3ba3a5", "#1d6d8b", "#142f5b"],
    destinations: ["#fddfc9", "#fbae83", "#ec6a5a", "#b52f69", "#561452"],
    flows: ["#b6cbe6", "#7fa5d6", "#4a7cc0", "#2c54a0", "#172c6b"],
  },
};

/** Colours of the first and the second area of a comparison. */
export const AREA_COLOURS: Record<Theme, Record<Slot, string>> = {
  dark: { one: "#7cc4ff", two: "#ffb454" },
  light: { one: "#1257c7", two: "#b4490a" },
};

export function stops(theme: Theme, layer: Layer): string[] {
  return RAMPS[theme][layer];
}

function parse(hex: string): Colour {
  return [1, 3, 5].map((start) => Number.parseInt(hex.slice(start, start + 2), 16)) as Colour;
}

/** Return the colour at a share, 0 to 1, of a ramp. */
export function rampOf(theme: Theme, layer: Layer): (share: number) => Colour {
  const colours = RAMPS[theme][layer].map(parse);
  return (share) => {
    const place = Math.max(0, Math.min(1, share)) * (colours.length - 1);
    const index = Math.min(colours.length - 2, Math.floor(place));
    const [low, high] = [colours[index] as Colour, colours[index + 1] as Colour];
    return low.map((value, channel) => Math.round(value + ((high[channel] ?? 0) - value) * (place - index))) as Colour;
  };
}

/** Trips are spread over orders of magnitude, so shares are logarithms. */
export function logShare(trips: number, most: number): number {
  return most <= 1 ? 1 : Math.log(trips) / Math.log(most);
}
