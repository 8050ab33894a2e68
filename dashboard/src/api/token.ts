/** The access token, where the server wants one: kept in this browser, sent with every request. */
import { signal } from "@preact/signals";

const KEY = "tripsmith-token";

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export const token = signal<string | null>(stored());

/** Why a token is asked for, in the server's words; null while none is. */
export const tokenWanted = signal<string | null>(null);

/** Asks for a token, as one was refused; not where another has been given since the request was sent. */
export function wantToken(reason: string, refused: string | null): void {
  if (refused === token.value) tokenWanted.value = reason;
}

export function keepToken(value: string): void {
  // It has just been refused.
  if (value === token.value) return;
  token.value = value;
  tokenWanted.value = null;
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // Without storage it lasts as long as the page.
  }
}
