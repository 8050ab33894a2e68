/** Light or dark: as the system has it, until the reader chooses. */
import { computed, signal } from "@preact/signals";

export type Theme = "light" | "dark";

const KEY = "tripsmith-theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");
const ofSystem = signal<Theme>(system.matches ? "dark" : "light");
const chosen = signal<Theme | null>(storedChoice());

export const theme = computed<Theme>(() => chosen.value ?? ofSystem.value);

system.addEventListener("change", () => {
  ofSystem.value = system.matches ? "dark" : "light";
});
theme.subscribe((value) => {
  document.documentElement.dataset.theme = value;
});

export function choose(value: Theme): void {
  chosen.value = value;
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // Without storage it lasts as long as the page.
  }
}

function storedChoice(): Theme | null {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === "light" || stored === "dark" ? stored : null;
  } catch {
    return null;
  }
}
