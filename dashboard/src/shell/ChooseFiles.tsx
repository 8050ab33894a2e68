import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { go } from "../address";
import { upload } from "../upload";
import { Icon } from "./Icon";

export const KINDS = ".csv,.gz,.zst,.zip,text/csv";

export function ChooseFiles({ children }: { children: ComponentChildren }) {
  const input = useRef<HTMLInputElement>(null);
  const take = () => {
    const files = [...(input.current?.files ?? [])];
    if (files.length === 0) return;
    upload(files);
    if (input.current) input.current.value = "";
    go({ page: "files" });
  };
  return (
    <>
      <button class="primary" type="button" onClick={() => input.current?.click()}>
        <Icon name="upload" />
        {children}
      </button>
      <input ref={input} type="file" multiple accept={KINDS} hidden onChange={take} aria-label="Files of trips" />
    </>
  );
}
