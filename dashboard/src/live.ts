/** Ingestions as they are now, kept by Socket.IO, and whether the server is there. */
import { batch, computed, signal } from "@preact/signals";
import { io, type Socket } from "socket.io-client";
import type { Ingestion, IngestionPage } from "./api/documents";
import { ask } from "./api/client";
import { token, wantToken } from "./api/token";

const known = signal<ReadonlyMap<string, Ingestion>>(new Map());

/** Newest first. */
export const ingestions = computed(() => [...known.value.values()].sort((one, other) => Number(other.id) - Number(one.id)));
export const isLoaded = signal(false);
/** "away" once a connection was lost or could not be made; it is tried again by itself. */
export const connection = signal<"connecting" | "here" | "away">("connecting");
/** The `cursor` for older ingestions; null when all are known. */
export const older = signal<string | null>(null);
/** Grows whenever answers may have changed: trips came or went, or the server was away. */
export const version = signal(0);

export function isActive(ingestion: Ingestion): boolean {
  return ingestion.state === "queued" || ingestion.state === "running";
}

export function take(...arrived: Ingestion[]): void {
  const next = new Map(known.value);
  let isAnswerChanged = false;
  for (const ingestion of arrived) {
    const before = next.get(ingestion.id);
    isAnswerChanged ||= before !== undefined && before.state !== ingestion.state && /succeeded|removed/.test(ingestion.state);
    next.set(ingestion.id, ingestion);
  }
  batch(() => {
    known.value = next;
    if (isAnswerChanged) version.value++;
  });
}

/** Takes what the answer to a request says, unless it is known already: what came live may be newer than the answer. */
export function takeAnswer(ingestion: Ingestion): void {
  if (!known.value.has(ingestion.id)) take(ingestion);
}

export async function loadOlder(): Promise<void> {
  const page = await ask<IngestionPage>(`ingestions?limit=50${older.value === null ? "" : `&cursor=${older.value}`}`);
  batch(() => {
    // What came live meanwhile is newer than this page.
    take(...page.ingestions.filter((ingestion) => older.value !== null || !known.value.has(ingestion.id)));
    older.value = page.next;
    isLoaded.value = true;
  });
}

// After a refusal the library does not try again by itself.
const RETRY_MS = 3000;
let socket: Socket | null = null;

export function follow(): void {
  let used: string | null = null;
  const auth = (give: (data: object) => void) => {
    used = token.value;
    give(used === null ? {} : { token: used });
  };
  socket = io("/ingestions", { auth });
  let wasAway = false;
  socket.on("connect", () => {
    connection.value = "here";
    if (wasAway) version.value++;
    wasAway = false;
    if (!isLoaded.value) void loadOlder().catch(() => undefined);
  });
  const away = () => {
    connection.value = "away";
    wasAway = true;
  };
  socket.on("disconnect", (reason) => {
    away();
    // The server put us out: it says why when we come again, which after that the library does not do by itself.
    if (reason === "io server disconnect") socket?.connect();
  });
  socket.on("connect_error", (error: Error & { data?: { status?: number } }) => {
    if (error.data?.status === 401) wantToken(error.message, used);
    else away();
    if (error.data !== undefined && error.data.status !== 401) setTimeout(() => socket?.connect(), RETRY_MS);
  });
  socket.on("ingestion", (ingestion: Ingestion) => take(ingestion));
}

token.subscribe(() => socket?.disconnect().connect());
