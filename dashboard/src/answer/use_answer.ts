/** Asks the API whenever the question changes, and drops what has been overtaken. */
import { useEffect, useRef, useState } from "preact/hooks";
import { ask, isOvertaken, Problem } from "../api/client";
import { token } from "../api/token";
import { version } from "../live";
import type { Asked } from "../question";

export interface Answer<Document> {
  document: Document | null;
  problem: Problem | null;
  /** A newer answer is on its way; the document shown is the one before. */
  isPending: boolean;
}

interface Given<Document> extends Omit<Answer<Document>, "isPending"> {
  /** The question that this answers, as text. */
  to: string | null;
}

// A shape that is being dragged changes at every frame: the first question goes at once, the next ones at this pace.
const PACE_MS = 80;

/** Return the answer to a question; null asks nothing. The last answer stays until the next one is there. */
export function useAnswer<Document>(asked: Asked | null): Answer<Document> {
  const [answer, setAnswer] = useState<Given<Document>>({ to: null, document: null, problem: null });
  const askedAt = useRef(0);
  const key = asked && JSON.stringify([asked, version.value, token.value]);

  useEffect(() => {
    if (asked === null) {
      setAnswer({ to: null, document: null, problem: null });
      return;
    }
    const overtaken = new AbortController();
    const start = () => {
      askedAt.current = performance.now();
      ask<Document>(asked.path, { ...asked.init, signal: overtaken.signal }).then(
        (document) => setAnswer({ to: key, document, problem: null }),
        (error: unknown) => {
          if (isOvertaken(error)) return;
          const problem = error instanceof Problem ? error : new Problem(0, String(error));
          setAnswer((before) => ({ to: key, document: problem.status === 0 ? before.document : null, problem }));
        },
      );
    };
    const wait = window.setTimeout(start, Math.max(0, askedAt.current + PACE_MS - performance.now()));
    return () => {
      clearTimeout(wait);
      overtaken.abort();
    };
  }, [key]);

  return { ...answer, isPending: answer.to !== key };
}
