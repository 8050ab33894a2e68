/** What the warehouse holds: the figures that filters, the map's first view and the metrics page start from. */
import { effect, signal } from "@preact/signals";
import { ask, Problem } from "./api/client";
import type { TripMetrics } from "./api/documents";
import { token } from "./api/token";
import { version } from "./live";

export const warehouse = signal<TripMetrics | null>(null);
export const warehouseProblem = signal<Problem | null>(null);

export function followWarehouse(): void {
  let asked = 0;
  effect(() => {
    void [version.value, token.value];
    const number = ++asked;
    ask<TripMetrics>("metrics/trips").then(
      (metrics) => {
        if (number !== asked) return;
        warehouse.value = metrics;
        warehouseProblem.value = null;
      },
      (error: unknown) => {
        if (number === asked) warehouseProblem.value = error instanceof Problem ? error : new Problem(0, String(error));
      },
    );
  });
}
