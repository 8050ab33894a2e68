import { Suspense } from "preact/compat";
import { useEffect } from "preact/hooks";
import { address } from "../address";
import { FilesPage } from "../files/FilesPage";
import { MapPage } from "../map/MapPage";
import { FileInput } from "./ChooseFiles";
import { ConnectionNotice } from "./ConnectionNotice";
import { DropTarget } from "./DropTarget";
import { Header } from "./Header";
import { Toasts } from "./Toasts";
import { TokenDialog } from "./TokenDialog";
import { lazily } from "./lazily";

const MetricsPage = lazily(() => import("../metrics/MetricsPage").then((module) => module.MetricsPage));

const TITLES = { map: "Map", files: "Files", metrics: "Metrics" };

export function App() {
  const { page } = address.value;
  useEffect(() => {
    document.title = `${TITLES[page]} · Tripsmith`;
  }, [page]);
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>
        Skip to the content
      </a>
      <Header />
      <ConnectionNotice />
      <main id="content" tabIndex={-1} class={`page page-${page}`}>
        {page === "map" && <MapPage />}
        {page === "files" && <FilesPage />}
        {page === "metrics" && (
          <Suspense fallback={<p class="quiet centred">Loading …</p>}>
            <MetricsPage />
          </Suspense>
        )}
      </main>
      <FileInput />
      <DropTarget />
      <Toasts />
      <TokenDialog />
    </>
  );
}

// The address's hash is the state of the page, so this link must not change it.
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}
