import { signal } from "@preact/signals";

interface Toast {
  key: number;
  text: string;
}

const SECONDS = 5;
const toasts = signal<readonly Toast[]>([]);
let lastKey = 0;

/** Say something short that goes away by itself. */
export function say(text: string): void {
  const toast = { key: ++lastKey, text };
  toasts.value = [...toasts.value, toast];
  setTimeout(() => {
    toasts.value = toasts.value.filter((one) => one !== toast);
  }, SECONDS * 1000);
}

export function Toasts() {
  return (
    <div class="toasts" role="status">
      {toasts.value.map(({ key, text }) => (
        <p key={key} class="toast">
          {text}
        </p>
      ))}
    </div>
  );
}
