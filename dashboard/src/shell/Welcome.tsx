import { useState } from "preact/hooks";
import { go } from "../address";
import { ask, Problem } from "../api/client";
import type { Ingestion } from "../api/documents";
import { ingestions, isActive, takeAnswer } from "../live";
import { ChooseFiles } from "./ChooseFiles";

/** How to begin, while the warehouse is empty. */
export function Welcome() {
  const [isAsked, setIsAsked] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const takeExample = async () => {
    setIsAsked(true);
    try {
      takeAnswer(await ask<Ingestion>("ingestions/example", { method: "POST" }));
      go({ page: "files" });
    } catch (error) {
      setProblem(error instanceof Problem ? error.message : String(error));
      setIsAsked(false);
    }
  };
  const isBusy = ingestions.value.some(isActive);
  return (
    <section class="welcome card" aria-labelledby="welcome-title">
      <h1 id="welcome-title">{isBusy ? "The first trips are on their way" : "No trips yet"}</h1>
      <p>
        Drop a CSV file of trips anywhere on this page, or choose one. It needs the columns <code>region</code>,{" "}
        <code>origin_coord</code>, <code>destination_coord</code>, <code>datetime</code> and <code>datasource</code>, in any order:
      </p>
      <pre tabIndex={0}>
        {"region,origin_coord,destination_coord,datetime,datasource\n"}
        {"Prague,POINT (14.49 50.00),POINT (14.43 50.04),2018-05-28 09:03:40,funny_car"}
      </pre>
      <div class="row">
        <ChooseFiles>Choose files</ChooseFiles>
        <button type="button" onClick={() => void takeExample()} disabled={isAsked}>
          {isAsked ? "Making example trips …" : "Load 200,000 example trips"}
        </button>
        {isBusy && (
          <button type="button" onClick={() => go({ page: "files" })}>
            Watch the work
          </button>
        )}
      </div>
      {problem !== null && (
        <p class="error" role="alert">
          {problem}
        </p>
      )}
      <p class="quiet">
        Packed files (.gz, .zst, .zip) are taken as they are. The command line takes files too: <code>tripsmith ingest trips.csv</code>
      </p>
    </section>
  );
}
