import { Icon } from "../shell/Icon";
import { dismiss, sendAgain, type Upload } from "../upload";
import { bytes, share } from "../words";

/** A file on its way from this browser. */
export function UploadCard({ upload }: { upload: Upload }) {
  const { key, file, sent, state, problem, isKnown, ingestion } = upload;
  const done = file.size === 0 ? 1 : sent / file.size;
  return (
    <li class={`card file is-${state}`} data-test="upload">
      <div class="file-title">
        <h3>{file.name}</h3>
        <span class="quiet">{bytes(file.size)}</span>
        <div class="file-actions">
          {state === "failed" && (
            <button type="button" onClick={() => sendAgain(key)}>
              <Icon name="retry" /> Send again
            </button>
          )}
          <button class="icon-button" type="button" onClick={() => dismiss(key)} aria-label={`${state === "sending" ? "Stop sending" : "Dismiss"} ${file.name}`}>
            <Icon name="close" />
          </button>
        </div>
      </div>
      {state === "waiting" && <p class="quiet">Waits for its turn</p>}
      {state === "sending" && (
        <>
          <progress value={done} max={1} aria-label={`Sent of ${file.name}`} />
          <p class="quiet">{done >= 1 ? "Arrived; being looked at …" : `${share(done)} sent`}</p>
        </>
      )}
      {state === "failed" && (
        <p class="error" role="alert">
          {problem}
        </p>
      )}
      {isKnown && <p>This content is in the warehouse already, as ingestion {ingestion?.id}. Nothing was changed.</p>}
    </li>
  );
}
