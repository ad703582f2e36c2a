/** Moments that tests and benchmarks wait for: `performance.mark("sandbox:ready")` and friends. */

export type Moment = "ready" | "first-output" | "checked";

/** Mark a moment. "ready" and "first-output" happen once a page, "checked" with every check. */
export function mark(moment: Moment): void {
  const name = `sandbox:${moment}`;
  if (moment !== "checked" && performance.getEntriesByName(name).length > 0) return;
  performance.mark(name);
}
