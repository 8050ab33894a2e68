import type { Note } from "../api/documents";
import { address, go } from "../address";

/** What would mislead about an answer, in sentences; dates that would narrow it are one press away. */
export function Notes({ notes }: { notes: readonly Note[] }) {
  return (
    <>
      {notes.map((note) => (
        <p class="note" key={note.code}>
          {sentence(note)}
          {note.code === "span_stretched" && (
            <>
              {" "}
              <button class="link" type="button" onClick={() => narrow(note)}>
                Show only these weeks
              </button>
            </>
          )}
        </p>
      ))}
    </>
  );
}

function narrow(note: Note): void {
  const { filter } = address.value;
  const { from = filter.from, to = filter.to } = note as { from?: string; to?: string };
  go({ page: "map", filter: { ...filter, from, to } });
}

/** The message; where a button stands for it, without the parameters that would narrow the answer. */
function sentence({ code, message }: Note): string {
  return code === "span_stretched" ? message.replace(/;.*$/, ".") : message;
}
