/**
 * An error of the reader's program: what it was, their own lines, one sentence, and the rest folded.
 */
import { h, inline, linkButton } from "./dom";
import type { Failure } from "./messages";

export function drawError(error: Failure, show: (file: string, line: number) => void): HTMLElement {
  const where = error.lines.map(({ file, line, source }) =>
    h(
      "li",
      {},
      linkButton(`${file}:${line}`, () => show(file, line)),
      source ? `  ${source}` : "",
    ),
  );
  const folded = error.traceback && error.traceback.trim() !== error.summary.trim();
  return h(
    "div",
    { class: "sb-error", role: "alert", "data-testid": "error" },
    h("p", { class: "sb-error__what" }, error.summary),
    where.length > 0 && h("ul", { class: "sb-error__where" }, ...where),
    error.explanation && h("p", { class: "sb-error__sentence" }, ...inline(error.explanation)),
    folded &&
      h(
        "details",
        {},
        h("summary", {}, "Full traceback ▾"),
        h("pre", { tabindex: "0" }, error.traceback),
      ),
  );
}
