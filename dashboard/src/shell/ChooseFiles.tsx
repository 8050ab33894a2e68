import type { ComponentChildren } from "preact";
import { go } from "../address";
import { upload } from "../upload";
import { Icon } from "./Icon";

const KINDS = ".csv,.gz,.zst,.zip,text/csv";
const ID = "files-of-trips";

/** One for the whole page: a button may go while the browser's dialog is open, and what is chosen then still counts. */
export function FileInput() {
  const take = ({ currentTarget }: { currentTarget: HTMLInputElement }) => {
    const files = [...(currentTarget.files ?? [])];
    if (files.length === 0) return;
    upload(files);
    currentTarget.value = "";
    go({ page: "files" });
  };
  return <input id={ID} type="file" multiple accept={KINDS} hidden onChange={take} aria-label="Files of trips" />;
}

export function ChooseFiles({ children }: { children: ComponentChildren }) {
  return (
    <button class="primary" type="button" onClick={() => document.getElementById(ID)?.click()}>
      <Icon name="upload" />
      {children}
    </button>
  );
}
