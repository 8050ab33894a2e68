import { useState } from "preact/hooks";
import { ingestions, isActive, isLoaded, loadOlder, older } from "../live";
import { ChooseFiles } from "../shell/ChooseFiles";
import { Welcome } from "../shell/Welcome";
import { uploads } from "../upload";
import { warehouse } from "../warehouse";
import { count } from "../words";
import { IngestionCard } from "./IngestionCard";
import { UploadCard } from "./UploadCard";

/** Files on their way, from this page or from anywhere else, as they are now. */
export function FilesPage() {
  const [isLoading, setIsLoading] = useState(false);
  const all = ingestions.value;
  const active = all.filter(isActive);
  const ended = all.filter((ingestion) => !isActive(ingestion));
  const onTheirWay = uploads.value.filter((upload) => upload.state !== "arrived" || upload.isKnown);
  const loadMore = () => {
    setIsLoading(true);
    void loadOlder()
      .catch(() => undefined)
      .finally(() => setIsLoading(false));
  };
  if (isLoaded.value && all.length === 0 && onTheirWay.length === 0 && warehouse.value?.trips === 0) return <Welcome />;
  return (
    <div class="column">
      <div class="page-title">
        <div>
          <h1>Files</h1>
          <p class="quiet">Drop CSV files anywhere on this page. Files sent by the command line, the API or the watched folder are shown too.</p>
        </div>
        <ChooseFiles>Choose files</ChooseFiles>
      </div>
      {onTheirWay.length > 0 && (
        <section aria-labelledby="uploads-title">
          <h2 id="uploads-title">Uploads</h2>
          <ul class="cards">
            {onTheirWay.map((upload) => (
              <UploadCard key={upload.key} upload={upload} />
            ))}
          </ul>
        </section>
      )}
      {active.length > 0 && (
        <section aria-labelledby="active-title">
          <h2 id="active-title">In progress · {count(active.length)}</h2>
          <ul class="cards">
            {active.map((ingestion) => (
              <IngestionCard key={ingestion.id} ingestion={ingestion} />
            ))}
          </ul>
        </section>
      )}
      <section aria-labelledby="ended-title">
        <h2 id="ended-title">Finished</h2>
        {isLoaded.value && ended.length === 0 && <p class="quiet">Nothing yet.</p>}
        {!isLoaded.value && <p class="quiet">Loading …</p>}
        <ul class="cards">
          {ended.map((ingestion) => (
            <IngestionCard key={ingestion.id} ingestion={ingestion} />
          ))}
        </ul>
        {older.value !== null && (
          <button type="button" disabled={isLoading} onClick={loadMore}>
            Show older
          </button>
        )}
      </section>
    </div>
  );
}
