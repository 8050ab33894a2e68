/** Answers to keep: as a file, or in the clipboard. */
import { send } from "./api/client";

export function saveAs(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export function asCsv(header: readonly string[], rows: readonly (readonly (string | number)[])[]): Blob {
  const field = (value: string | number) => (/[",\r\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : value);
  const lines = [header, ...rows].map((row) => row.map(field).join(","));
  return new Blob([`${lines.join("\r\n")}\r\n`], { type: "text/csv" });
}

/** Save what the API has at a path; not by a plain link, which could not carry the token. */
export async function saveFrom(path: string, name: string): Promise<void> {
  saveAs(await (await send(path)).blob(), name);
}
