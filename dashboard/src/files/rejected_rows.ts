/** Reads the rejected rows of an ingestion as they arrive: counts the reasons, keeps the first rows. */
import { send } from "../api/client";

export interface RejectedRow {
  line: number;
  /** The member of an archive that the line is in; empty where the file is no archive. */
  file: string;
  reasons: string[];
  record: string;
}
export interface Report {
  first: RejectedRow[];
  reasons: [reason: string, rows: number][];
  rows: number;
  /** Whether rows were left unread, there being so many. */
  isCut: boolean;
}

const FIRST_ROWS = 100;
const MOST_ROWS = 200_000;

/** Yields the records of CSV text that comes in pieces. */
export async function* recordsOf(pieces: AsyncIterable<string>): AsyncGenerator<string[]> {
  let record: string[] = [];
  let field = "";
  let isQuoted = false;
  let wasQuote = false;
  for await (const piece of pieces) {
    for (const letter of piece) {
      if (wasQuote) {
        wasQuote = false;
        if (letter === '"') {
          field += letter;
          continue;
        }
        isQuoted = false;
      }
      if (isQuoted) {
        if (letter === '"') wasQuote = true;
        else field += letter;
      } else if (letter === '"') isQuoted = true;
      else if (letter === ",") {
        record.push(field);
        field = "";
      } else if (letter === "\n") {
        record.push(field);
        yield record;
        record = [];
        field = "";
      } else if (letter !== "\r") field += letter;
    }
  }
}

async function* decoded(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    await reader.cancel();
  }
}

export async function readReport(ingestionId: string, signal: AbortSignal): Promise<Report> {
  const response = await send(`ingestions/${ingestionId}/rejections`, { signal });
  const counts = new Map<string, number>();
  const report: Report = { first: [], reasons: [], rows: 0, isCut: false };
  let isHeader = true;
  if (response.body === null) return report;
  for await (const [line = "", reasons = "", record = "", file = ""] of recordsOf(decoded(response.body))) {
    if (isHeader) {
      isHeader = false;
      continue;
    }
    if (report.rows === MOST_ROWS) {
      report.isCut = true;
      break;
    }
    report.rows++;
    const each = reasons.split("; ");
    for (const reason of each) {
      const kind = kindOf(reason);
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    if (report.first.length < FIRST_ROWS) report.first.push({ line: Number(line), file, reasons: each, record });
  }
  report.reasons = [...counts].sort((one, other) => other[1] - one[1]);
  return report;
}

/** A reason without the value that it names, so that like reasons are counted together. */
function kindOf(reason: string): string {
  if (/^\w+ is missing: /.test(reason)) return reason.slice(0, reason.indexOf(":"));
  return reason
    .replace(/^(\w+ .* is not a date and time: (?:there is no (?:time of )?day|the offset|names of time zones are not read)) .*$/s, "$1 …")
    .replace(/^(\w+)(: (?:longitude|latitude))? .*? (is not .*)$/s, "$1$2 … $3");
}
