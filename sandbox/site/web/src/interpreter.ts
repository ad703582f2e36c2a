/** One worker with a Python in it: booted once, asked one thing at a time, thrown away to stop it. */
import type { Answers, Boot, Parts, Report, Request } from "./messages";

/** How far booting is. */
export interface Progress {
  step: string;
  percent: number;
}

/** What a request may be watched with. */
export interface Hooks {
  /** Python is there and has been given the question. */
  asked(): void;
  /** Text the program printed, while it runs. */
  output(text: string): void;
  progress(progress: Progress): void;
  /** Pressing Stop. */
  signal: AbortSignal;
}

/** The reader stopped it, or the page did for them; the message says which and may be empty. */
export class Stopped extends Error {}

/** A request without its number. */
export type Question = Request extends infer R
  ? R extends Request
    ? Omit<R, "id">
    : never
  : never;

/** A worker that was told to boot before the page's script was there, and what it has said since. */
export interface Early {
  worker: Worker | null;
  heard: Report[];
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
  output(text: string): void;
}

export class Interpreter {
  /** Resolves once Python is there; rejects with a sentence when it cannot be. */
  readonly ready: Promise<void>;
  /** What another worker can boot from at once. Known when `ready` resolves. */
  parts: Parts | null;
  alive = true;
  private booted = false;

  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private next = 1;
  private watchers = new Set<(progress: Progress) => void>();
  private last: Progress = { step: "Python", percent: 0 };

  /** Start a worker from `parts`, or take over one that has begun to fetch them. */
  constructor(script: string, bundle: string, parts: Parts | null, early?: Early) {
    this.parts = parts;
    this.worker = early?.worker ?? new Worker(script, { type: "module", name: "python" });
    this.ready = new Promise((resolve, reject) => {
      this.worker.onerror = (event) => {
        const error = new Error(event.message || "its files could not be loaded.");
        reject(error);
        this.fail(error);
      };
      const hear = (data: Report) => {
        if (data.type === "ready") {
          this.parts = data.parts ?? this.parts;
          this.booted = true;
          resolve();
        } else if (data.type === "boot_failed") {
          const error = new Error(data.message);
          reject(error);
          this.fail(error);
        } else this.receive(data);
      };
      this.worker.onmessage = ({ data }: MessageEvent<Report>) => hear(data);
      early?.heard.forEach(hear);
    });
    this.ready.catch(() => {});
    if (early?.worker) return;
    const boot: Boot = parts ? { type: "boot", bundle, parts } : { type: "boot", bundle };
    this.worker.postMessage(boot);
  }

  /** Wait until Python is there, telling `hooks` how far it is. Stop ends the wait, not the boot. */
  async boot(hooks: Hooks): Promise<void> {
    if (this.booted) return;
    const watch = (progress: Progress) => hooks.progress(progress);
    this.watchers.add(watch);
    watch(this.last);
    try {
      await Promise.race([this.ready, aborted(hooks.signal)]);
    } finally {
      this.watchers.delete(watch);
    }
  }

  /** Ask something; the answer's type follows from the question's. */
  async ask<Q extends Question>(question: Q, hooks: Hooks): Promise<Answers[Q["type"]]> {
    await this.boot(hooks);
    const id = this.next++;
    return new Promise<Answers[Q["type"]]>((resolve, reject) => {
      const stop = () => {
        this.end();
        reject(stopped(hooks.signal));
      };
      if (!this.alive || hooks.signal.aborted) {
        reject(stopped(hooks.signal));
        return;
      }
      hooks.signal.addEventListener("abort", stop, { once: true });
      const settle = () => hooks.signal.removeEventListener("abort", stop);
      this.waiting.set(id, {
        resolve: (result) => {
          settle();
          resolve(result as Answers[Q["type"]]);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
        output: (text) => hooks.output(text),
      });
      hooks.asked();
      this.worker.postMessage({ ...question, id });
    });
  }

  /** Throw this Python away, whatever it is doing. */
  end(): void {
    if (!this.alive) return;
    this.alive = false;
    this.worker.terminate();
    this.fail(new Stopped());
  }

  private receive(report: Report): void {
    if (report.type === "progress") {
      this.last = report;
      for (const watch of this.watchers) watch(report);
    } else if (report.type === "output") this.waiting.get(report.id)?.output(report.text);
    else if (report.type === "done") this.take(report.id)?.resolve(report.result);
    else if (report.type === "failed") {
      console.error(report.traceback);
      this.take(report.id)?.reject(new Error(report.message));
    }
  }

  private take(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    return waiting;
  }

  private fail(error: Error): void {
    this.alive = false;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}

function stopped(signal: AbortSignal): Stopped {
  return signal.reason instanceof Stopped ? signal.reason : new Stopped();
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(stopped(signal));
    signal.addEventListener("abort", () => reject(stopped(signal)), { once: true });
  });
}
