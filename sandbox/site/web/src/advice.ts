/** What this browser can do, in a sentence, when that is less than everything. */
import { h } from "./dom";

/** Whether Python programs can take turns here: JavaScript Promise Integration. */
export function canSwitch(): boolean {
  return (
    typeof WebAssembly === "object" && "Suspending" in WebAssembly && "promising" in WebAssembly
  );
}

/** A notice for browsers without it, or null. */
export function advice(): HTMLElement | null {
  if (canSwitch()) return null;
  return h(
    "div",
    { class: "sb-advice", role: "note", "data-testid": "advice" },
    h("strong", {}, "This browser can run only one program at a time. "),
    "Most cells and all checks need several, which takes JavaScript Promise Integration: Chrome, ",
    "Edge or another Chromium from version 137, or Firefox from version 153. ",
    "Everything can be read here, and cells with a single program run.",
  );
}
