/** What the warehouse holds, as far as it is known at once: what filters, areas and the map's first view start from. */
import { effect, signal } from "@preact/signals";
import { ask, Problem } from "./api/client";
import type { Datasource, DatasourceList, Region, RegionList } from "./api/documents";
import { token } from "./api/token";
import { version } from "./live";

export interface Warehouse {
  trips: number;
  first_trip: string | null;
  last_trip: string | null;
  /** Most trips first. */
  regions: Region[];
  datasources: Datasource[];
}

export const warehouse = signal<Warehouse | null>(null);
export const warehouseProblem = signal<Problem | null>(null);

/** Return the region of a name, in any case. */
export function knownRegion(name: string | null): Region | undefined {
  return warehouse.value?.regions.find((region) => region.name.toLowerCase() === name?.toLowerCase());
}

/** What the warehouse holds, as soon as that is known. */
export function warehouseThere(): Promise<Warehouse> {
  return new Promise((resolve) => {
    const stop = effect(() => {
      const present = warehouse.value;
      if (present !== null) queueMicrotask(() => (stop(), resolve(present)));
    });
  });
}

export function followWarehouse(): void {
  let asked = 0;
  effect(() => {
    void [version.value, token.value];
    const number = ++asked;
    Promise.all([ask<RegionList>("regions"), ask<DatasourceList>("datasources")]).then(
      ([{ regions }, { datasources }]) => {
        if (number !== asked) return;
        warehouse.value = { ...sumOf(regions), regions, datasources };
        warehouseProblem.value = null;
      },
      (error: unknown) => {
        if (number === asked) warehouseProblem.value = error instanceof Problem ? error : new Problem(0, String(error));
      },
    );
  });
}

function sumOf(regions: readonly Region[]) {
  return {
    trips: regions.reduce((sum, { trips }) => sum + trips, 0),
    first_trip: regions.map(({ first_trip }) => first_trip).sort()[0] ?? null,
    last_trip: regions.map(({ last_trip }) => last_trip).sort().at(-1) ?? null,
  };
}
