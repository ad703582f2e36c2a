/**
 * What the page and its Python worker say to each other: every message, and nothing else.
 *
 * Everything is plain data that `postMessage` can clone. The page starts a worker, sends one `boot`
 * and then requests, one at a time; the worker answers each request with any number of `output`
 * messages and exactly one `done` or `failed` that carries the request's `id`.
 *
 * To add a request: add it to `Request`, its answer to `Answers`, and a case to `worker/serve.ts`.
 */

/** What a worker restores Python from. The first worker fetches it, later ones are given it. */
export interface Parts {
  /** Pyodide, compiled. */
  module: WebAssembly.Module;
  /** The interpreter's memory, with every library already imported. */
  snapshot: ArrayBuffer;
}

/** The first message to a worker. */
export interface Boot {
  type: "boot";
  /** Where the bundle lies: an absolute URL that ends in a slash. */
  bundle: string;
  /** Absent for the first worker of a page. */
  parts?: Parts;
}

/** What a page can ask a booted worker to do. */
export type Request =
  | { type: "start_lesson"; id: number; slug: string; seed: number }
  | { type: "run_cell"; id: number; n: number; source: string }
  | { type: "run_file"; id: number; name: string; source: string; slug: string; seed: number }
  | { type: "check"; id: number; slug: string; exercise: string; source: string };

/** Why learner's code stopped: their own lines first, then everything. */
export interface Failure {
  /** The last line of a traceback: `NameError: name 'chanel' is not defined`. */
  summary: string;
  /** The learner's own lines on the way, outermost first. */
  lines: { file: string; line: number; source: string }[];
  /** One sentence for an error that everybody meets, or nothing. */
  explanation: string;
  /** The full traceback. */
  traceback: string;
}

/** What a cell or a file did. */
export interface RunResult {
  /** Everything that was printed, the same text that was streamed. */
  output: string;
  error: Failure | null;
  /** How much time passed on the world's clock, in seconds. */
  seconds_virtual: number;
  /** How the world came to rest, or null where it still runs. */
  ending: { kind: string; sentence: string } | null;
}

export interface CheckRow {
  name: string;
  outcome: "pass" | "fail" | "error" | "skip";
  message: string;
  seconds_virtual: number;
}

export interface ExerciseResult {
  id: string;
  title: string;
  points: number;
  max_points: number;
  outcome: "pass" | "fail" | "error";
  checks: CheckRow[];
}

/** The result object of `sandbox.grading`, for one exercise. */
export interface CheckResult {
  lab: string;
  stack: string;
  seed: number;
  exercises: ExerciseResult[];
  points: number;
  max_points: number;
}

/** What each request is answered with. */
export interface Answers {
  start_lesson: null;
  run_cell: RunResult;
  run_file: RunResult;
  check: CheckResult;
}

/** What a worker tells the page. */
export type Report =
  /** Booting: `step` is a word for people ("Python"), `percent` counts the whole boot. */
  | { type: "progress"; step: string; percent: number }
  /** Booted. `parts` comes from the first worker only, for those that follow. */
  | { type: "ready"; jspi: boolean; parts?: Parts; milliseconds: number }
  /** Booting failed: a sentence for people. */
  | { type: "boot_failed"; message: string }
  /** Text that a program printed, while it still runs. */
  | { type: "output"; id: number; text: string }
  | { type: "done"; id: number; result: Answers[keyof Answers] }
  /** The runtime itself broke: never the learner's fault. */
  | { type: "failed"; id: number; message: string; traceback: string };
