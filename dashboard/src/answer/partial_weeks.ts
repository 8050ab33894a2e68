/** Weeks that were not seen whole: cut by the dates asked for, or by where the data begin and end. */
import { addDays } from "../words";

export interface Seen {
  /** First and last day that trips are known of, or null where nothing cuts. */
  from: string | null;
  to: string | null;
}

export function seenDays(filter: Seen, data: Seen): Seen {
  const later = [filter.from, data.from].filter((day) => day !== null).sort().at(-1);
  const earlier = [filter.to, data.to].filter((day) => day !== null).sort()[0];
  return { from: later ?? null, to: earlier ?? null };
}

export function isPartial(week: string, seen: Seen): boolean {
  return (seen.from !== null && seen.from > week) || (seen.to !== null && seen.to < addDays(week, 6));
}
