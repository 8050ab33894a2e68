import { useEffect, useRef } from "preact/hooks";

interface Props {
  title: string;
  children: preact.ComponentChildren;
  /** On the button that does it. */
  action: string;
  /** On the button that changes nothing. */
  refusal: string;
  onAnswer(isConfirmed: boolean): void;
}

/** A question before something that cannot be undone. */
export function Confirm({ title, children, action, refusal, onAnswer }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="confirm-title" onCancel={() => onAnswer(false)}>
      <h2 id="confirm-title">{title}</h2>
      {children}
      <div class="row end">
        <button type="button" onClick={() => onAnswer(false)}>
          {refusal}
        </button>
        <button class="danger" type="button" onClick={() => onAnswer(true)}>
          {action}
        </button>
      </div>
    </dialog>
  );
}
