import type { WeekdayHourCount } from "../api/documents";
import { rampOf } from "../map/colours";
import { theme } from "../theme";
import { count, hourRange, weekday, weekdayName } from "../words";

const WEEKDAYS = [1, 2, 3, 4, 5, 6, 7];
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

/** Weekday by hour, the more trips the stronger. */
export function HourTable({ counts }: { counts: readonly WeekdayHourCount[] }) {
  const trips = new Map(counts.map((each) => [each.weekday * 24 + each.hour, each.trips]));
  const most = Math.max(1, ...trips.values());
  const ramp = rampOf(theme.value, "origins");
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Trips by weekday and hour">
      <table class="hours">
        <thead>
          <tr>
            <td />
            {HOURS.map((hour) => (
              <th key={hour} scope="col" aria-label={hourRange(hour)}>
                {hour % 3 === 0 ? hour : ""}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {WEEKDAYS.map((day) => (
            <tr key={day}>
              <th scope="row" aria-label={weekdayName(day)}>
                {weekday(day)}
              </th>
              {HOURS.map((hour) => {
                const number = trips.get(day * 24 + hour) ?? 0;
                return (
                  <td key={hour} style={{ background: number === 0 ? "transparent" : `rgb(${ramp(number / most).join(" ")})` }} title={`${weekdayName(day)}, ${hourRange(hour)}: ${count(number)} trips`}>
                    <span class="only-heard">{number}</span>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
