/** Files on their way to the server, two at a time, with their progress. */
import { signal } from "@preact/signals";
import type { Ingestion } from "./api/documents";
import { API, authorization, describeProblem } from "./api/client";
import { takeAnswer } from "./live";

export interface Upload {
  key: number;
  file: File;
  sent: number;
  state: "waiting" | "sending" | "arrived" | "failed";
  /** Set when it arrived: the ingestion that has the content, and whether it was there before. */
  ingestion: Ingestion | null;
  isKnown: boolean;
  problem: string | null;
}

const AT_ONCE = 2;
export const uploads = signal<readonly Upload[]>([]);
const requests = new Map<number, XMLHttpRequest>();
let lastKey = 0;

export function upload(files: Iterable<File>): void {
  const added = [...files].map(
    (file): Upload => ({ key: ++lastKey, file, sent: 0, state: "waiting", ingestion: null, isKnown: false, problem: null }),
  );
  uploads.value = [...added, ...uploads.value];
  sendNext();
}

/** Take an upload off the list; one that is on its way is stopped. */
export function dismiss(key: number): void {
  requests.get(key)?.abort();
  requests.delete(key);
  uploads.value = uploads.value.filter((one) => one.key !== key);
  sendNext();
}

export function sendAgain(key: number): void {
  change(key, { state: "waiting", sent: 0, problem: null });
  sendNext();
}

function change(key: number, changes: Partial<Upload>): void {
  uploads.value = uploads.value.map((one) => (one.key === key ? { ...one, ...changes } : one));
}

function sendNext(): void {
  const sending = uploads.value.filter((one) => one.state === "sending").length;
  const waiting = uploads.value.filter((one) => one.state === "waiting").reverse();
  for (const next of waiting.slice(0, Math.max(0, AT_ONCE - sending))) send(next);
}

// XMLHttpRequest, since fetch does not tell how much of a body has been sent.
function send({ key, file }: Upload): void {
  change(key, { state: "sending" });
  const request = new XMLHttpRequest();
  requests.set(key, request);
  request.open("POST", `${API}/ingestions`);
  for (const [name, value] of Object.entries(authorization())) request.setRequestHeader(name, value);
  request.upload.onprogress = (event) => change(key, { sent: Math.min(event.loaded, file.size) });
  request.onload = () => {
    if (request.status < 300) {
      const ingestion = JSON.parse(request.responseText) as Ingestion;
      change(key, { state: "arrived", sent: file.size, ingestion, isKnown: request.status === 200 });
      takeAnswer(ingestion);
    } else {
      change(key, { state: "failed", problem: describeProblem(request.status, request.responseText).message });
    }
  };
  request.onerror = () => change(key, { state: "failed", problem: "The connection was lost; nothing of it was kept." });
  request.onloadend = () => {
    requests.delete(key);
    sendNext();
  };
  const form = new FormData();
  form.append("file", file);
  request.send(form);
}
