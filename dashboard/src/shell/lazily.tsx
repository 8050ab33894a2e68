import type { ComponentType } from "preact";
import { lazy } from "preact/compat";

/** A component that is loaded when it is first shown. One that cannot be loaded says so, and the rest of the page goes on. */
export function lazily<Props>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  return lazy(() =>
    load().then(
      (component) => ({ default: component }),
      () => ({ default: (() => <p class="error">This part of the page could not be loaded. Load the page again.</p>) as ComponentType<Props> }),
    ),
  ) as unknown as ComponentType<Props>;
}
