import { Icon } from "../shell/Icon";
import { dismiss, sendAgain, type Upload, type UploadOptions } from "../upload";
import { bytes, share } from "../words";

type Column = "region" | "datasource";

const COLUMNS: [Column, label: string, example: string, replace: string][] = [
  ["region", "Region of all rows", "Prague", "Replace the file's regions"],
  ["datasource", "Data source of all rows", "funny_car", "Replace the file's data sources"],
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
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const given: UploadOptions = {};
    const encoding = form.get("encoding") as string;
    if (encoding !== "") given.encoding = encoding;
    for (const [column] of COLUMNS) {
      const name = form.get(column) as string;
      if (name !== "") given[form.has(`replace_${column}`) ? (`override_${column}` as const) : column] = name;
    }
    sendAgain(key, given);
  };
  return (
    <form class="send-again" onSubmit={send}>
      {COLUMNS.map(([column, label, example, replace]) => (
        <div key={column}>
          <label>
            {label}
            <input
              name={column}
              defaultValue={options[`override_${column}`] ?? options[column] ?? ""}
              placeholder={example}
              autocomplete="off"
              spellcheck={false}
            />
          </label>
          <label class="check">
            <input type="checkbox" name={`replace_${column}`} defaultChecked={options[`override_${column}`] !== undefined} />
            {replace}
          </label>
        </div>
      ))}
      <label>
        Encoding
        <input name="encoding" defaultValue={options.encoding ?? ""} placeholder="utf-8" autocomplete="off" spellcheck={false} />
      </label>
      <button type="submit">
        <Icon name="retry" /> Send again
      </button>
      <p class="quiet">What the file says itself needs no entry here.</p>
    </form>
  );
}
