/**
 * What a cell and an exercise have in common: an editor, buttons, a bar for booting Python, an
 * output that fills while the program runs, and a line about time under it.
 */
import { Editor } from "./editor";
import { all, asSentence, h, inline, part, realTime, worldSeconds } from "./dom";
import { drawError } from "./errors";
import { mark } from "./marks";
import type { RunResult } from "./messages";
import { type Hooks, type Progress, Stopped } from "./python";

/** More output than this is cut: a page that holds megabytes of text stops answering. */
const OUTPUT_LIMIT = 200_000;

/** Endings of a run that need no word: it did what it was asked to. */
const ORDINARY = new Set(["finished", "until"]);

export class Panel {
  readonly editor: Editor;
  readonly output: HTMLElement;
  private readonly note: HTMLElement;
  private readonly boot: HTMLElement;
  private readonly stopButton: HTMLButtonElement;
  private asked = 0;
  private text: HTMLElement | null = null;
  private written = 0;

  constructor(readonly node: HTMLElement) {
    this.editor = new Editor(part(node, "editor"));
    this.output = part(node, "output");
    this.note = part(node, "note");
    this.boot = part(node, "boot");
    this.stopButton = part<HTMLButtonElement>(node, "stop");
  }

  /** Do `action` once somebody reaches for Run or Check: it is about to be needed. */
  onReach(action: () => void): void {
    for (const node of all('[data-testid="run"], [data-testid="check"]', this.node)) {
      node.addEventListener("pointerenter", action, { once: true, passive: true });
    }
  }

  /** Do `action` when the button called `name` is pressed. */
  on(name: string, action: () => void): void {
    part(this.node, name).addEventListener("click", action);
  }

  /**
   * Run something here: Stop appears and ends it, what would start another run is off.
   *
   * Returns false when it was stopped or could not be done, having said so.
   */
  async during(stopped: string, action: (hooks: Hooks) => Promise<void>): Promise<boolean> {
    const controller = new AbortController();
    const stop = () => controller.abort(new Stopped());
    this.stopButton.addEventListener("click", stop);
    this.running = true;
    this.asked = performance.now();
    try {
      await action({
        asked: () => (this.asked = performance.now()),
        output: (text) => this.write(text),
        progress: (progress) => this.progress(progress.percent < 100 ? progress : null),
        signal: controller.signal,
      });
      return true;
    } catch (error) {
      this.say(
        error instanceof Stopped
          ? `${error.message || "Stopped."} ${stopped}`
          : `Python could not go on: ${error instanceof Error ? error.message : String(error)}`,
      );
      return false;
    } finally {
      this.running = false;
      this.stopButton.removeEventListener("click", stop);
    }
  }

  /** Since Python was asked: starting it does not count. */
  get tookMs(): number {
    return performance.now() - this.asked;
  }

  private set running(running: boolean) {
    this.node.toggleAttribute("data-running", running);
    this.node.setAttribute("aria-busy", String(running));
    this.stopButton.hidden = !running;
    for (const name of ["run", "check"]) {
      for (const node of all<HTMLButtonElement>(`[data-testid="${name}"]`, this.node)) {
        node.disabled = running;
      }
    }
    if (!running) this.progress(null);
  }

  /** The bar under the editor while Python starts; null takes it away. */
  progress(progress: Progress | null): void {
    this.boot.hidden = progress === null;
    if (!progress) return;
    const [label, bar] = this.boot.children as unknown as [HTMLElement, HTMLProgressElement];
    label.textContent = `${progress.step} ${Math.round(progress.percent)}%`;
    bar.value = progress.percent;
  }

  /** Begin a new output. */
  clear(): void {
    this.output.replaceChildren();
    this.output.classList.remove("sb-output--stored", "sb-output--veiled");
    this.say("");
    this.text = null;
    this.written = 0;
  }

  /** Add to the output what the program printed just now. */
  write(chunk: string): void {
    if (!chunk) return;
    if (!this.text) {
      this.text = h("pre", {});
      this.output.append(this.text);
    }
    if (this.written < OUTPUT_LIMIT) {
      const room = OUTPUT_LIMIT - this.written;
      this.text.append(chunk.slice(0, room));
      if (chunk.length > room) this.text.append("\n… the rest is not shown");
    }
    this.written += chunk.length;
    mark("first-output");
  }

  /** Show how a run ended. */
  finish(result: RunResult): void {
    if (this.written === 0 && result.output) this.write(result.output);
    if (result.error) {
      this.output.append(
        drawError(result.error, (file, line) => {
          if (this.isMine(file)) void this.editor.reveal(line);
        }),
      );
    }
    const ending = result.ending && !ORDINARY.has(result.ending.kind) ? result.ending : null;
    const sentence = ending ? asSentence(ending.sentence) : "";
    const calm = ending?.kind === "idle";
    if (ending && !calm) {
      const attributes = { class: "sb-ending", role: "alert", "data-testid": "ending" };
      this.output.append(h("p", attributes, ...inline(sentence)));
    }
    const quiet = this.output.firstChild ? "" : "Nothing was printed. ";
    this.say(
      `${calm ? `${sentence} ` : ""}${quiet}Ran ${worldSeconds(result.seconds_virtual)} on the world's clock, ${realTime(this.tookMs)} on yours.`,
    );
    mark("first-output");
  }

  /** Whether a traceback's file is the text in this editor. */
  isMine: (file: string) => boolean = () => true;

  /** One line under the output; "" takes it away. */
  say(text: string): void {
    this.note.textContent = text;
    this.note.hidden = text === "";
  }
}
