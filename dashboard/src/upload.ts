/** Files on their way to the server, two at a time, with their progress; one that is cut off goes on from there. */
import { signal } from "@preact/signals";
import type { DetailedError, HttpResponse, Upload as Transfer } from "tus-js-client";
import type { Ingestion } from "./api/documents";
import { API, ask, authorization, describeProblem } from "./api/client";
import { token } from "./api/token";
import { takeAnswer } from "./live";

/** What a file does not say itself, or what is to replace what it says: it is the same for all its rows. */
export type UploadOptions = Partial<Record<"region" | "datasource" | "encoding" | "override_region" | "override_datasource", string>>;

export interface Upload {
  key: number;
  file: File;
  options: UploadOptions;
  sent: number;
  state: "waiting" | "sending" | "interrupted" | "arrived" | "failed";
  /** Set when it arrived: the ingestion that has the content, and whether it was there before. */
  ingestionId: string | null;
  isKnown: boolean;
  problem: string | null;
}

const AT_ONCE = 2;
const RETRY_AFTER_MS = [0, 500, 1000, 2000, 4000, 8000, 15_000, 30_000, 30_000, 30_000];
// No answer, an upload that another connection holds, a server that starts or has lost its database.
const PASSING = [0, 409, 423, 502, 503, 504];

export const uploads = signal<readonly Upload[]>([]);
const transfers = new Map<number, Transfer>();
let lastKey = 0;

export function upload(files: Iterable<File>): void {
  const added = [...files].map(
    (file): Upload => ({ key: ++lastKey, file, options: {}, sent: 0, state: "waiting", ingestionId: null, isKnown: false, problem: null }),
  );
  uploads.value = [...added, ...uploads.value];
  sendNext();
}

/** Take an upload off the list; of one that is on its way nothing is kept. */
export function dismiss(key: number): void {
  void transfers.get(key)?.abort(true).catch(() => undefined);
  transfers.delete(key);
  uploads.value = uploads.value.filter((one) => one.key !== key);
  sendNext();
}

/** Send a file that failed, perhaps with other options; with the same ones it goes on from what the server has kept. */
export function sendAgain(key: number, options: UploadOptions): void {
  change(key, { state: "waiting", options, problem: null });
  sendNext();
}

function change(key: number, changes: Partial<Upload>): void {
  uploads.value = uploads.value.map((one) => (one.key === key ? { ...one, ...changes } : one));
}

function sendNext(): void {
  const sending = uploads.value.filter(({ state }) => state === "sending" || state === "interrupted").length;
  const waiting = uploads.value.filter(({ state }) => state === "waiting").reverse();
  for (const next of waiting.slice(0, Math.max(0, AT_ONCE - sending))) void send(next);
}

function statusOf(error: Error | DetailedError): number {
  return ("originalResponse" in error ? error.originalResponse?.getStatus() : undefined) ?? 0;
}

function describe(error: Error | DetailedError, used: string | null): string {
  const status = statusOf(error);
  if (status === 0) return "The connection was lost; what has come over is kept for a day.";
  const body = "originalResponse" in error ? error.originalResponse?.getBody() : undefined;
  return describeProblem(status, body ?? "", used).message;
}

async function send({ key, file, options }: Upload): Promise<void> {
  change(key, { state: "sending" });
  const tus = await import("tus-js-client").catch(() => null);
  if (tus === null) {
    change(key, { state: "failed", problem: "The server does not answer." });
    return;
  }
  // Options are told when an upload begins: with others it is another one.
  const fingerprint = [API, file.name, file.size, file.lastModified, JSON.stringify(options)].join(" ");
  const used = token.value;
  const transfer = new tus.Upload(file, {
    endpoint: `${API}/uploads`,
    headers: authorization(),
    metadata: { filename: file.name, ...options },
    fingerprint: () => Promise.resolve(fingerprint),
    removeFingerprintOnSuccess: true,
    retryDelays: RETRY_AFTER_MS,
    onShouldRetry: (error) => {
      const isPassing = PASSING.includes(statusOf(error));
      if (isPassing) change(key, { state: "interrupted" });
      return isPassing;
    },
    onProgress: (sent) => change(key, { state: "sending", sent }),
    onSuccess: ({ lastResponse }) => {
      transfers.delete(key);
      void arrive(key, file.size, lastResponse).finally(sendNext);
    },
    onError: (error) => {
      transfers.delete(key);
      change(key, { state: "failed", problem: describe(error, used) });
      sendNext();
    },
  });
  transfers.set(key, transfer);
  const [previous] = await transfer.findPreviousUploads();
  if (previous) transfer.resumeFromPreviousUpload(previous);
  // Dismissed while the library was on its way.
  if (uploads.value.some((one) => one.key === key)) transfer.start();
}

async function arrive(key: number, size: number, response: HttpResponse): Promise<void> {
  const ingestionId = response.getHeader("Tripsmith-Ingestion") ?? null;
  const isKnown = response.getHeader("Tripsmith-Content") === "known";
  change(key, { state: "arrived", sent: size, ingestionId, isKnown });
  // It comes live as well; where that is down, this shows it.
  if (ingestionId !== null) await ask<Ingestion>(`ingestions/${ingestionId}`).then(takeAnswer, () => undefined);
}
