/** Numbers, sizes, times and dates as the reader's locale writes them. */
const locale = navigator.languages.filter(isKnown);
// The chart library takes the browser's word for it, and would not start.
if (!isKnown(navigator.language)) Object.defineProperty(navigator, "language", { value: locale[0] ?? "en" });

const whole = new Intl.NumberFormat(locale);
const oneDecimal = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const twoDigits = new Intl.NumberFormat(locale, { maximumSignificantDigits: 2 });
const compact = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
const smallPercent = new Intl.NumberFormat(locale, { style: "percent", maximumSignificantDigits: 1 });
// Dates in the data are local to where the trip was: they are shown as written, whatever the reader's time zone.
const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" });
const shortDay = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone: "UTC" });
const dayAndTime = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
const moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const weekdayShort = new Intl.DateTimeFormat(locale, { weekday: "short", timeZone: "UTC" });
const weekdayLong = new Intl.DateTimeFormat(locale, { weekday: "long", timeZone: "UTC" });
const aMonday = Date.UTC(2018, 0, 1);
const DAY = 86_400_000;

// Some systems name locales as browsers do not understand them, such as en-US@posix.
function isKnown(language: string): boolean {
  try {
    return Intl.NumberFormat.supportedLocalesOf(language).length > 0;
  } catch {
    return false;
  }
}

export const count = (value: number): string => whole.format(value);
/** One decimal, or two digits where that would say 0.0 of something. */
export const decimal = (value: number): string => (value > 0 && value < 0.05 ? twoDigits : oneDecimal).format(value);
export const brief = (value: number): string => compact.format(value);
/** Five in a million are not nothing: they are 0.0005 %. */
export const share = (value: number): string => (value > 0 && value < 0.01 ? smallPercent : percent).format(value);
export const date = (iso: string): string => day.format(asUtc(iso));
export const dateShort = (iso: string): string => shortDay.format(asUtc(iso));
export const localTime = (iso: string): string => dayAndTime.format(asUtc(iso));
export const instant = (iso: string): string => moment.format(new Date(iso));
/** Weekday 1 is Monday, as in ISO 8601. */
export const weekday = (number: number): string => weekdayShort.format(aMonday + (number - 1) * DAY);
export const weekdayName = (number: number): string => weekdayLong.format(aMonday + (number - 1) * DAY);
export const hourRange = (hour: number): string => `${clock(hour)}–${clock((hour + 1) % 24)}`;
export const clock = (hour: number): string => `${String(hour).padStart(2, "0")}:00`;

export function asUtc(iso: string): Date {
  return new Date(iso.length === 10 ? `${iso}T00:00Z` : `${iso.replace(/(Z|[+-]\d\d:?\d\d)$/, "")}Z`);
}

export function isoDay(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

export function addDays(iso: string, days: number): string {
  return isoDay(asUtc(iso).getTime() + days * DAY);
}

/** The Monday of the week of a day. */
export function mondayOf(iso: string): string {
  const time = asUtc(iso.slice(0, 10));
  return addDays(iso.slice(0, 10), -((time.getUTCDay() + 6) % 7));
}

export function bytes(value: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
  return new Intl.NumberFormat(locale, {
    style: "unit",
    unit: units[power] ?? "byte",
    unitDisplay: power === 0 ? "long" : "short",
    maximumSignificantDigits: 3,
  }).format(value / 1000 ** power);
}

/** A span of time as a person says it: 45 s, 3 min, 2 h 5 min. */
export function span(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
