import { Suspense } from "preact/compat";
import { useState } from "preact/hooks";
import { ask, Problem } from "../api/client";
import type { Ingestion } from "../api/documents";
import { isActive, take } from "../live";
import { Confirm } from "../shell/Confirm";
import { Icon } from "../shell/Icon";
import { bytes, count, instant, share, span } from "../words";
import { lazily } from "../shell/lazily";

const Rejections = lazily(() => import("./Rejections").then((module) => module.Rejections));

type Action = "cancel" | "retry" | "remove";

const PHASES = ["bronze", "silver", "gold"] as const;
const PHASE_WORDS = { bronze: "Copying rows as they are", silver: "Checking and cleaning", gold: "Grouping and counting" };
const STATE_WORDS = { queued: "waiting", running: "running", succeeded: "done", failed: "failed", cancelled: "cancelled", removed: "removed" };

/** One file's way through the layers, as it is now. */
export function IngestionCard({ ingestion }: { ingestion: Ingestion }) {
  const [question, setQuestion] = useState<"cancel" | "remove" | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isOpen, setIsOpen] = useState(false);
  const { id, state, file_name: name } = ingestion;
  const active = isActive(ingestion);
  const act = async (action: Action) => {
    setProblem(null);
    try {
      take(
        action === "remove"
          ? await ask<Ingestion>(`ingestions/${id}`, { method: "DELETE" })
          : await ask<Ingestion>(`ingestions/${id}/${action}`, { method: "POST" }),
      );
    } catch (error) {
      setProblem(error instanceof Problem ? error.message : String(error));
    }
  };
  return (
    <li class={`card file is-${state}`} data-test={`ingestion-${id}`} data-state={state}>
      <div class="file-title">
        <span class={`state is-${state}`}>{STATE_WORDS[state]}</span>
        <h3>{name}</h3>
        <span class="quiet">
          {bytes(ingestion.bytes_total)} · {instant(ingestion.finished_at ?? ingestion.created_at)}
        </span>
        <div class="file-actions">
          {active && (
            <button type="button" onClick={() => setQuestion("cancel")} aria-label={`Cancel ${name}`}>
              Cancel
            </button>
          )}
          {(state === "failed" || state === "cancelled") && (
            <button type="button" onClick={() => void act("retry")} aria-label={`Retry ${name}`}>
              <Icon name="retry" /> Retry
            </button>
          )}
          {!active && state !== "removed" && (
            <button class="icon-button" type="button" onClick={() => setQuestion("remove")} aria-label={`Remove ${name}`}>
              <Icon name="bin" />
            </button>
          )}
        </div>
      </div>
      {active && <Progress ingestion={ingestion} />}
      {!active && (
        <dl class="figures">
          <Figure name="read" value={ingestion.rows_read} />
          <Figure name="loaded" value={ingestion.rows_loaded} />
          <Figure name="rejected" value={ingestion.rows_rejected} isBad={ingestion.rows_rejected > 0} />
          {state === "succeeded" && ingestion.rows_per_second !== null && <Figure name="rows a second" value={Math.round(ingestion.rows_per_second)} />}
        </dl>
      )}
      {ingestion.notes.map((note) => (
        <p class="note" key={note.code}>{note.message}</p>
      ))}
      {state === "succeeded" && ingestion.rows_rejected > 0 && ingestion.message !== null && <p>{ingestion.message}</p>}
      {ingestion.error !== null && (
        <p class="error" role="alert">
          {ingestion.error}
        </p>
      )}
      {problem !== null && (
        <p class="error" role="alert">
          {problem}
        </p>
      )}
      {ingestion.rows_rejected > 0 && state !== "removed" && !active && (
        <>
          <button class="link" type="button" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
            {isOpen ? "Hide rejected rows" : `See ${count(ingestion.rows_rejected)} rejected ${ingestion.rows_rejected === 1 ? "row" : "rows"}`}
          </button>
          {isOpen && (
            <Suspense fallback={<p class="quiet">Loading …</p>}>
              <Rejections ingestion={ingestion} />
            </Suspense>
          )}
        </>
      )}
      {question !== null && (
        <Confirm
          title={question === "remove" ? `Remove ${name}?` : `Cancel ${name}?`}
          action={question === "remove" ? "Remove" : "Cancel ingestion"}
          refusal={question === "remove" ? "Cancel" : "Continue ingestion"}
          onAnswer={(isConfirmed) => {
            setQuestion(null);
            if (isConfirmed) void act(question);
          }}
        >
          {question === "remove" ? (
            <p>
              Its {count(ingestion.rows_loaded)} trips leave all three layers, and with them every answer. To have them back, send the file again.
            </p>
          ) : (
            <p>What it has loaded so far is kept, unseen, for a retry.</p>
          )}
        </Confirm>
      )}
    </li>
  );
}

function Progress({ ingestion }: { ingestion: Ingestion }) {
  const { state, phase, bytes_done: done, bytes_total: total, rows_read, rows_per_second: rate, eta_seconds: left } = ingestion;
  const part = state === "queued" || total === 0 ? 0 : Math.min(1, done / total);
  const current = phase === null ? -1 : PHASES.indexOf(phase);
  return (
    <>
      <ol class="phases" aria-label="Layers">
        {PHASES.map((name, index) => (
          <li key={name} class={index < current ? "is-done" : index === current ? "is-current" : ""} aria-current={index === current ? "step" : undefined}>
            {name}
          </li>
        ))}
      </ol>
      <progress value={part} max={1} aria-label={`Done of ${ingestion.file_name}`} data-test="progress" />
      <p class="quiet live-figures">
        <span>{state === "queued" ? "Waits for its turn" : phase === null ? "Starting" : PHASE_WORDS[phase]}</span>
        {state === "running" && <span>{share(part)}</span>}
        {rows_read > 0 && <span>{count(rows_read)} rows</span>}
        {rate !== null && <span>{count(Math.round(rate))} rows a second</span>}
        {left !== null && <span>{span(left)} left</span>}
      </p>
    </>
  );
}

function Figure({ name, value, isBad = false }: { name: string; value: number; isBad?: boolean }) {
  return (
    <div class={isBad ? "is-bad" : ""}>
      <dt>{name}</dt>
      <dd>{count(value)}</dd>
    </div>
  );
}
