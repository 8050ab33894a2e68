/** Which average is shown large: partial weeks pull the mean down, so that of whole weeks wherever there are enough. */
import type { WeeklyAverage } from "../api/documents";
import { count, decimal } from "../words";

const ENOUGH = 2;

export interface Headline {
  average: number;
  /** What the average is of, and the average of all weeks where that is another. */
  words: string;
}

export function isOfWholeWeeks({ whole_weeks, weeks }: WeeklyAverage): boolean {
  return whole_weeks.weeks >= ENOUGH && whole_weeks.weeks < weeks;
}

export function headline(answer: WeeklyAverage): Headline {
  const { whole_weeks: whole, weeks, weekly_average } = answer;
  const all = weeks === 1 ? "1 week" : `${count(weeks)} weeks`;
  if (!isOfWholeWeeks(answer)) return { average: weekly_average, words: `average of ${all}` };
  return {
    average: whole.weekly_average,
    words: `average of ${count(whole.weeks)} whole weeks; ${decimal(weekly_average)} over all ${all}`,
  };
}
