import { useEffect, useRef, useState } from "preact/hooks";
import { keepToken, tokenWanted } from "../api/token";

/** Asks for an access token once the server has said that it wants one. */
export function TokenDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [value, setValue] = useState("");
  const reason = tokenWanted.value;
  useEffect(() => {
    if (reason !== null && !dialog.current?.open) dialog.current?.showModal();
    if (reason === null) dialog.current?.close();
  }, [reason]);
  const keep = (event: Event) => {
    event.preventDefault();
    if (value.trim()) keepToken(value.trim());
    setValue("");
  };
  return (
    <dialog ref={dialog} aria-labelledby="token-title" onCancel={(event) => event.preventDefault()}>
      <form onSubmit={keep}>
        <h2 id="token-title">A token is needed</h2>
        <p>{reason}</p>
        <label class="field">
          Access token
          <input type="password" autocomplete="off" value={value} onInput={(event) => setValue(event.currentTarget.value)} required />
        </label>
        <p class="quiet">It is kept in this browser. Whoever runs this server can give you one.</p>
        <div class="row end">
          <button class="primary" type="submit">
            Use it
          </button>
        </div>
      </form>
    </dialog>
  );
}
