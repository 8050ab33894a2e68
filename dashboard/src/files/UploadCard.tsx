import { Icon } from "../shell/Icon";
import { dismiss, sendAgain, type Upload, type UploadOptions } from "../upload";
import { bytes, share } from "../words";

const OPTIONS: [keyof UploadOptions, label: string, example: string][] = [
  ["region", "Region of all rows", "Prague"],
  ["datasource", "Data source of all rows", "funny_car"],
  ["encoding", "Encoding", "utf-8"],
];

/** A file on its way from this browser. */
export function UploadCard({ upload }: { upload: Upload }) {
  const { key, file, sent, state, problem, isKnown, ingestionId } = upload;
  const done = file.size === 0 ? 1 : sent / file.size;
  const isOnItsWay = state === "sending" || state === "interrupted";
  return (
    <li class={`card file is-${state}`} data-test="upload">
      <div class="file-title">
        <h3>{file.name}</h3>
        <span class="quiet">{bytes(file.size)}</span>
        <div class="file-actions">
          <button class="icon-button" type="button" onClick={() => dismiss(key)} aria-label={`${isOnItsWay ? "Stop sending" : "Dismiss"} ${file.name}`}>
            <Icon name="close" />
          </button>
        </div>
      </div>
      {state === "waiting" && <p class="quiet">Waits for its turn</p>}
      {isOnItsWay && <progress value={done} max={1} aria-label={`Sent of ${file.name}`} />}
      {state === "sending" && <p class="quiet">{done >= 1 ? "Arrived; being looked at …" : `${share(done)} sent`}</p>}
      {state === "interrupted" && <p class="quiet">{share(done)} sent; the connection was lost, it goes on by itself from there</p>}
      {state === "failed" && (
        <>
          <p class="error" role="alert">
            {problem}
          </p>
          <SendAgain upload={upload} />
        </>
      )}
      {isKnown && <p>This content is in the warehouse already, as ingestion {ingestionId}. Nothing was changed.</p>}
    </li>
  );
}

function SendAgain({ upload: { key, options } }: { upload: Upload }) {
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    const given = [...new FormData(event.currentTarget as HTMLFormElement)].filter(([, value]) => value !== "");
    sendAgain(key, Object.fromEntries(given) as UploadOptions);
  };
  return (
    <form class="send-again" onSubmit={send}>
      {OPTIONS.map(([name, label, example]) => (
        <label key={name}>
          {label}
          <input name={name} defaultValue={options[name] ?? ""} placeholder={example} autocomplete="off" spellcheck={false} />
        </label>
      ))}
      <button type="submit">
        <Icon name="retry" /> Send again
      </button>
      <p class="quiet">What the file says itself needs no entry here.</p>
    </form>
  );
}
