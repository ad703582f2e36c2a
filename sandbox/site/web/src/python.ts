/**
 * The page's Pythons: one for the lesson, a fresh one for every check, and a spare that is ready.
 *
 * The lesson's Python starts when something is first run and lives until the page goes or Stop ends
 * it. A check never runs where anything ran before: it takes the spare, which is then thrown away.
 * Both restore the same snapshot, which the first worker fetched; only that first start takes long.
 */
import { type Early, type Hooks, Interpreter, Stopped } from "./interpreter";
import { mark } from "./marks";
import type { CheckResult, Parts, RunResult } from "./messages";

export { type Hooks, type Progress, Stopped } from "./interpreter";

/** The world's own limits come first; these end a Python that no longer answers at all. */
const RUN_LIMIT_S = 30;
const CHECK_LIMIT_S = 120;

/** Endings of a cell after which the world goes on. Any other ends the program that cells share. */
const GOES_ON = new Set(["finished", "idle", "deadlock", "virtual-time", "until"]);

/** What we read of the bundle's list of its files. */
interface Manifest {
  archives: { name: string }[];
}

/** Where the theme says the worker's script and the bundle are, relative to the page. */
interface Places {
  worker: string;
  bundle: string;
}

export class Python {
  /** Called when the lesson's cells begin again in a new world. */
  onNewWorld: () => void = () => {};

  private lesson: Interpreter | null = null;
  private begun: Promise<unknown> | null = null;
  private spare: Interpreter | null = null;
  private parts: Parts | null = null;
  private stocked = false;
  /** One thing at a time in the lesson's Python. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly slug: string,
    private readonly seed: number,
    /** A worker that began before us; the first Python is made of it. */
    private early?: Early,
  ) {}

  /** Start Python, because somebody is about to need it. */
  warm(): void {
    this.lessonPython();
  }

  /** Run a cell in the world that the lesson's cells share. */
  cell(n: number, source: string, hooks: Hooks): Promise<RunResult> {
    return this.inTurn(hooks, async (limited) => {
      const python = this.lessonPython();
      this.begun ??= python.ask(
        { type: "start_lesson", slug: this.slug, seed: this.seed },
        limited,
      );
      try {
        await this.begun;
      } catch (error) {
        this.begun = null;
        throw error;
      }
      const result = await python.ask({ type: "run_cell", n, source }, limited);
      if (result.ending && !GOES_ON.has(result.ending.kind)) this.worldIsOver();
      return result;
    });
  }

  /** Whether the world that cells have run in is still there. */
  get hasWorld(): boolean {
    return this.begun !== null;
  }

  /** Run an exercise's file as a program, in a world of its own. */
  file(name: string, source: string, hooks: Hooks): Promise<RunResult> {
    const { slug, seed } = this;
    return this.inTurn(hooks, (limited) =>
      this.lessonPython().ask({ type: "run_file", name, source, slug, seed }, limited),
    );
  }

  /** Check an exercise in a Python that has run nothing before and will run nothing after. */
  async check(exercise: string, source: string, hooks: Hooks): Promise<CheckResult> {
    if (!this.parts) await this.firstParts(hooks);
    const python = this.spare?.alive ? this.spare : this.start();
    this.spare = null;
    try {
      return await limit(hooks, CHECK_LIMIT_S, (limited) =>
        python.ask({ type: "check", slug: this.slug, exercise, source }, limited),
      );
    } finally {
      python.end();
      this.prepareSpare();
    }
  }

  private lessonPython(): Interpreter {
    if (!this.lesson?.alive) {
      const ready = this.spare?.alive ? this.spare : null;
      if (ready) this.spare = null;
      const python = ready ?? this.start();
      this.lesson = python;
      this.worldIsOver();
    }
    return this.lesson;
  }

  /**
   * Bring what Python fetches only when a program asks for it into the browser's cache, so that a
   * network which goes away later takes nothing with it.
   */
  private async stock(bundle: string): Promise<void> {
    this.stocked = true;
    try {
      const { archives } = (await (await fetch(`${bundle}bundle.json`)).json()) as Manifest;
      for (const { name } of archives) {
        const answer = await fetch(bundle + name, { priority: "low" });
        await answer.arrayBuffer();
      }
    } catch {
      this.stocked = false; // the next Python tries again
    }
  }

  private worldIsOver(): void {
    this.begun = null;
    this.onNewWorld();
  }

  private start(): Interpreter {
    const { worker, bundle } = places();
    const python = new Interpreter(worker, bundle, this.parts, this.early);
    this.early = undefined;
    void python.ready.then(
      () => {
        this.parts ??= python.parts;
        mark("ready");
        if (!this.stocked) void this.stock(bundle);
      },
      () => {},
    );
    return python;
  }

  /** The very first Python of the page brings the parts that all others start from. */
  private async firstParts(hooks: Hooks): Promise<void> {
    const first = this.lessonPython();
    await limit(hooks, CHECK_LIMIT_S, (limited) => first.boot(limited));
    this.parts ??= first.parts;
  }

  /** Have a Python ready for the next check or for the one after Stop. */
  private prepareSpare(): void {
    if (this.parts && !this.spare?.alive) this.spare = this.start();
  }

  private async inTurn<T>(hooks: Hooks, action: (hooks: Hooks) => Promise<T>): Promise<T> {
    const before = this.turn;
    let done = () => {};
    this.turn = new Promise<void>((resolve) => (done = resolve));
    try {
      await before;
      if (hooks.signal.aborted) throw new Stopped();
      return await limit(hooks, RUN_LIMIT_S, action);
    } catch (error) {
      // Not the program's doing: this Python is broken and must not be asked again.
      if (!(error instanceof Stopped)) this.lesson?.end();
      throw error;
    } finally {
      done();
      this.prepareSpare();
    }
  }
}

/** Run `action` with hooks whose signal also fires when a booted Python has not answered for long. */
async function limit<T>(
  hooks: Hooks,
  seconds: number,
  action: (hooks: Hooks) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const forward = () => controller.abort(hooks.signal.reason);
  hooks.signal.addEventListener("abort", forward, { once: true });
  let timer = 0;
  const wind = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      controller.abort(
        new Stopped(`Stopped: nothing was heard from the program for ${seconds} s of real time.`),
      );
    }, seconds * 1000);
  };
  wind();
  try {
    return await action({
      signal: controller.signal,
      asked: () => {
        wind();
        hooks.asked();
      },
      output: (text) => {
        wind();
        hooks.output(text);
      },
      progress: (progress) => {
        wind();
        hooks.progress(progress);
      },
    });
  } finally {
    clearTimeout(timer);
    hooks.signal.removeEventListener("abort", forward);
  }
}

function places(): Places {
  const node = document.getElementById("sandbox-places");
  const { worker, bundle } = JSON.parse(node?.textContent ?? "{}") as Places;
  const absolute = (path: string) => new URL(path, document.baseURI).href;
  return { worker: absolute(worker), bundle: absolute(bundle) };
}
