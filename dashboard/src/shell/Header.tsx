import { address, go, type Page } from "../address";
import { connection, ingestions, isActive } from "../live";
import { choose, theme } from "../theme";
import { Icon } from "./Icon";

const PAGES: readonly [Page, string][] = [
  ["map", "Map"],
  ["files", "Files"],
  ["metrics", "Metrics"],
];
const CONNECTION = { connecting: "connecting", here: "live", away: "away" };

export function Header() {
  const other = theme.value === "dark" ? "light" : "dark";
  const active = ingestions.value.filter(isActive).length;
  return (
    <header class="header">
      <a class="brand" href="#/map" onClick={(event) => open(event, "map")}>
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="9" />
          <path d="M8 23C8 12 24 20 24 9" />
          <circle cx="8" cy="23" r="3.2" />
          <circle cx="24" cy="9" r="3.2" class="end" />
        </svg>
        Tripsmith
      </a>
      <nav aria-label="Pages">
        {PAGES.map(([page, name]) => (
          <a
            key={page}
            href={`#/${page}`}
            aria-current={address.value.page === page ? "page" : undefined}
            onClick={(event) => open(event, page)}
          >
            {name}
            {page === "files" && active > 0 && (
              <span class="badge" title={`${active} in progress`}>
                {active}
              </span>
            )}
          </a>
        ))}
      </nav>
      <div class="header-end">
        <span class={`connection is-${connection.value}`} role="status">
          <span class="dot" />
          {CONNECTION[connection.value]}
        </span>
        <a class="wide-only" href="/api/docs">
          API
        </a>
        <button class="icon-button" type="button" onClick={() => choose(other)} aria-label={`Switch to ${other} colours`}>
          <Icon name={other === "dark" ? "moon" : "sun"} />
        </button>
      </div>
    </header>
  );
}

function open(event: MouseEvent, page: Page): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  go({ page });
}
