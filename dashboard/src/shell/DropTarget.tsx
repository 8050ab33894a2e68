import { useEffect, useState } from "preact/hooks";
import { go } from "../address";
import { upload } from "../upload";
import { Icon } from "./Icon";

/** Files may be dropped anywhere on the page. */
export function DropTarget() {
  const [isOver, setIsOver] = useState(false);
  useEffect(() => {
    // Entering a child comes before leaving its parent: the pointer is gone only when every entry has been left.
    let entered = 0;
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const enter = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      entered++;
      setIsOver(true);
    };
    const leave = (event: DragEvent) => {
      if (hasFiles(event) && --entered <= 0) setIsOver(false);
    };
    const over = (event: DragEvent) => hasFiles(event) && event.preventDefault();
    const drop = (event: DragEvent) => {
      entered = 0;
      setIsOver(false);
      if (!hasFiles(event)) return;
      event.preventDefault();
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length === 0) return;
      upload(files);
      go({ page: "files" });
    };
    const listeners = { dragenter: enter, dragleave: leave, dragover: over, drop } as const;
    for (const [name, listener] of Object.entries(listeners)) window.addEventListener(name, listener as EventListener);
    return () => {
      for (const [name, listener] of Object.entries(listeners)) window.removeEventListener(name, listener as EventListener);
    };
  }, []);
  if (!isOver) return null;
  return (
    <div class="drop" aria-hidden="true">
      <p>
        <Icon name="upload" /> Drop CSV files of trips
      </p>
    </div>
  );
}
