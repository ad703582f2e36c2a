/**
 * What a check found, as a person reads it: one row a check, what failed in sentences, and a way
 * from "no_loss.py:31" in a message to line 31 in the editor.
 */
import { h, inline, linkButton } from "./dom";
import type { CheckRow, ExerciseResult } from "./messages";

export type { CheckRow, ExerciseResult } from "./messages";
type Outcome = CheckRow["outcome"];

/** Called with a line of the reader's file that a message names. */
export type ShowLine = (line: number) => void;

const MARKS: Record<Outcome, string> = { pass: "✓", fail: "✗", error: "!", skip: "–" };
const WORDS: Record<Outcome, string> = {
  pass: "passes",
  fail: "fails",
  error: "could not be checked",
  skip: "is skipped here",
};

/** The list of rows, under one line that sums them up. */
export function drawResults(
  result: ExerciseResult,
  options: { file: string; show: ShowLine; aside: string },
): Node[] {
  const passed = result.checks.filter((row) => row.outcome === "pass").length;
  const sum = h(
    "div",
    { class: "sb-results__sum", "data-sum": result.outcome },
    h("span", {}, summary(result, passed)),
    h("span", {}, options.aside),
  );
  const rows = result.checks.map((row) => drawRow(row, options));
  return [sum, h("ul", {}, ...rows)];
}

function summary(result: ExerciseResult, passed: number): string {
  const points = `${result.points} of ${result.max_points} points`;
  if (result.outcome === "pass") return `It holds. ${points}`;
  if (result.outcome === "error") return "It could not be checked. Your points stay as they were";
  return `${passed} of ${result.checks.length} checks pass. ${points}`;
}

function drawRow(row: CheckRow, options: { file: string; show: ShowLine }): HTMLLIElement {
  const seconds = row.seconds_virtual;
  return h(
    "li",
    { "data-outcome": row.outcome },
    h("span", { class: "sb-row__mark", "aria-hidden": "true" }, MARKS[row.outcome]),
    h(
      "span",
      { class: "sb-row__name" },
      ...inline(sentence(row.name)),
      h("span", { class: "sb-hidden" }, ` ${WORDS[row.outcome]}`),
    ),
    h(
      "span",
      { class: "sb-row__aside" },
      row.outcome !== "pass" || !seconds
        ? ""
        : `${seconds.toFixed(seconds < 10 ? 1 : 0)} s in its world`,
    ),
    row.message && row.outcome !== "pass"
      ? h("div", { class: "sb-row__message" }, ...paragraphs(row.message, options))
      : null,
  );
}

/** `test_no_order_is_lost[7]`, as pytest calls it, or a sentence: always a sentence. */
export function sentence(name: string): string {
  return name.startsWith("test_") ? name.slice(5).replaceAll("_", " ") : name;
}

/** A message's lines; what seed it was and what to think about stand out for what they are. */
function paragraphs(message: string, options: { file: string; show: ShowLine }): HTMLElement[] {
  return message
    .trim()
    .split(/\n+/)
    .map((line) => {
      if (/^\(seeds? [\d, and]+\)$/.test(line)) return h("p", { class: "sb-row__seed" }, line);
      const own = /^\s*(\S+:\d+) {2}(.+)$/.exec(line);
      if (own) {
        const code = h("code", {}, own[2]);
        return h("p", { class: "sb-row__line" }, ...withLines(own[1] ?? "", options), " ", code);
      }
      const question = /^(Think about:)\s*(.*)$/.exec(line);
      return question
        ? h("p", {}, h("strong", {}, question[1]), " ", ...withLines(question[2] ?? "", options))
        : h("p", {}, ...withLines(line, options));
    });
}

/** Text in which "FILE:LINE" of the reader's own file is a button that goes there. */
export function withLines(
  text: string,
  { file, show }: { file: string; show: ShowLine },
): (Node | string)[] {
  const place = new RegExp(`(${file.replaceAll(".", "\\.")}:\\d+)`);
  return text.split(place).flatMap((piece) => {
    if (!place.test(piece)) return inline(piece);
    const line = Number(piece.slice(piece.lastIndexOf(":") + 1));
    return [linkButton(piece, () => show(line))];
  });
}
