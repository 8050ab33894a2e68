import { connection } from "../live";
import { Icon } from "./Icon";

/** Says that the server went away; it comes back by itself. */
export function ConnectionNotice() {
  return (
    <div class="notice-place" role="status">
      {connection.value === "away" && (
        <p class="notice">
          <Icon name="alert" /> The server does not answer. This page tries again by itself and goes on where it was.
        </p>
      )}
    </div>
  );
}
