/** "The lesson has changed since you wrote this": keep mine, take new, or compare the two. */
import { button, h } from "./dom";
import { diffLines } from "./diff";

export interface Change {
  mine: string;
  theirs: string;
  keep(): void;
  take(): void;
}

/** A notice to put above an editor; it removes itself once the reader has chosen. */
export function changedNotice(change: Change): HTMLElement {
  const notice = h("div", { class: "sb-changed", "data-testid": "changed", role: "group" });
  const comparison = h("div", {});
  const choose = (action: () => void) => () => {
    action();
    notice.remove();
  };
  const compare = button("Compare", () => {
    if (comparison.firstChild) comparison.replaceChildren();
    else comparison.replaceChildren(drawDiff(change));
    compare.setAttribute("aria-expanded", String(Boolean(comparison.firstChild)));
  });
  compare.setAttribute("aria-expanded", "false");
  notice.append(
    h("p", {}, "The lesson has changed here since you wrote your version. Yours is shown."),
    button("Keep mine", choose(change.keep)),
    " ",
    button("Take the new one", choose(change.take)),
    " ",
    compare,
    comparison,
  );
  return notice;
}

function drawDiff({ mine, theirs }: Change): HTMLElement {
  const lines = diffLines(mine, theirs).map(({ kind, text }) => {
    if (kind === "removed") return h("del", {}, `- ${text}`);
    if (kind === "added") return h("ins", {}, `+ ${text}`);
    return `  ${text}\n`;
  });
  return h(
    "div",
    {},
    h("p", { class: "sb-note" }, "Minus: only in yours. Plus: only in the lesson's."),
    h("pre", { tabindex: "0" }, ...lines),
  );
}
