import { useEffect, useState } from "preact/hooks";
import { isOvertaken } from "../api/client";
import type { Ingestion } from "../api/documents";
import { saveFrom } from "../download";
import { Icon } from "../shell/Icon";
import { say } from "../shell/Toasts";
import { count } from "../words";
import { readReport, type Report } from "./rejected_rows";

/** What was wrong with a file: reasons counted, the first rows, and all of them to download. */
export function Rejections({ ingestion }: { ingestion: Ingestion }) {
  const [report, setReport] = useState<Report | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    const left = new AbortController();
    readReport(ingestion.id, left.signal).then(setReport, (error: unknown) => {
      if (!isOvertaken(error)) setProblem(String(error instanceof Error ? error.message : error));
    });
    return () => left.abort();
  }, [ingestion.id]);
  const download = () =>
    void saveFrom(`ingestions/${ingestion.id}/rejections`, `ingestion-${ingestion.id}-rejections.csv`).catch((error: Error) => say(error.message));
  if (problem !== null) {
    return (
      <p class="error" role="alert">
        {problem}
      </p>
    );
  }
  if (report === null) return <p class="quiet">Loading …</p>;
  const isArchive = report.first.some((row) => row.file !== "");
  const most = Math.max(1, ...report.reasons.map(([, rows]) => rows));
  return (
    <div class="rejections">
      <ul class="reasons">
        {report.reasons.map(([reason, rows]) => (
          <li key={reason}>
            <span class="reason-bar" style={{ width: `${(100 * rows) / most}%` }} />
            <span>{reason}</span>
            <strong>{count(rows)}</strong>
          </li>
        ))}
      </ul>
      {report.isCut && <p class="quiet">Reasons are counted over the first {count(report.rows)} rows.</p>}
      <div class="scroll" tabIndex={0} role="region" aria-label="First rejected rows">
        <table>
          <thead>
            <tr>
              {isArchive && <th scope="col">File</th>}
              <th scope="col" class="number">
                Line
              </th>
              <th scope="col">Why</th>
              <th scope="col">Row as it came</th>
            </tr>
          </thead>
          <tbody>
            {report.first.map((row) => (
              <tr key={`${row.file}:${row.line}`}>
                {isArchive && <td>{row.file}</td>}
                <td class="number">{count(row.line)}</td>
                <td>{row.reasons.join("; ")}</td>
                <td>
                  <code>{row.record}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <button type="button" onClick={download}>
        <Icon name="download" /> Download all {count(ingestion.rows_rejected)} as CSV
      </button>
    </div>
  );
}
