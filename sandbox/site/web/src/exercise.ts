/** An exercise's card: run the file, check it, take hints, see the solution once it is open. */
import { h, inline, part } from "./dom";
import { mark } from "./marks";
import type { ExerciseData } from "./page";
import { Panel } from "./panel";
import type { Python } from "./python";
import { drawResults, type ExerciseResult } from "./results";
import { reveal } from "./solution";
import type { Item } from "./store";

export class Exercise {
  readonly panel: Panel;
  private readonly results: HTMLElement;

  constructor(
    readonly node: HTMLElement,
    private readonly data: ExerciseData,
    private readonly slug: string,
    private readonly python: Python,
    readonly item: Item,
    private readonly keep: () => Promise<void>,
  ) {
    this.panel = new Panel(node);
    this.panel.isMine = (file) => file.endsWith(`${data.id}.py`);
    this.results = part(node, "results");
    this.panel.on("run", () => void this.run());
    this.panel.on("check", () => void this.check());
    this.panel.on("reset", () => this.reset());
    if (data.hints.length > 0) this.panel.on("hint", () => this.hint());
    this.panel.on("solution", () => this.solution());
    this.panel.editor.onRun = () => void this.run();
    this.draw();
  }

  /** Run the file as a program in a world of its own. */
  async run(): Promise<void> {
    this.panel.clear();
    await this.panel.during("The program and its world are gone.", async (hooks) => {
      const name = `${this.data.id}.py`;
      const result = await this.python.file(name, this.panel.editor.value, hooks);
      this.panel.finish(result);
    });
  }

  /** Run the checks in a Python that has run nothing else, and keep what they found. */
  async check(): Promise<void> {
    this.panel.clear();
    this.results.replaceChildren();
    this.panel.say("Checking …");
    await this.panel.during("Nothing was checked, and no attempt was counted.", async (hooks) => {
      const quiet = { ...hooks, output: () => {} };
      const answer = await this.python.check(this.data.id, this.panel.editor.value, quiet);
      const result = answer.exercises.find(({ id }) => id === this.data.id);
      if (!result) throw new Error(`the checks said nothing about ${this.data.id}.`);
      this.panel.say("");
      await this.record(result);
      this.drawResult(result, `${(this.panel.tookMs / 1000).toFixed(1)} s`);
    });
    mark("checked");
  }

  /** Show what was kept from an earlier visit. */
  restore(): void {
    this.draw();
    if (this.item.rows.length > 0) {
      const failed = this.item.rows.find(
        ({ outcome }) => outcome === "fail" || outcome === "error",
      );
      this.drawResult(
        {
          id: this.data.id,
          title: this.data.title,
          points: failed ? 0 : this.item.points,
          max_points: this.data.points,
          outcome: !failed ? "pass" : failed.outcome === "error" ? "error" : "fail",
          checks: this.item.rows,
        },
        "your last check",
      );
    }
    this.drawHints();
  }

  private async record(result: ExerciseResult): Promise<void> {
    this.item.rows = result.checks;
    if (result.outcome === "pass") {
      this.item.passed = true;
      this.item.points = result.points;
    }
    if (result.outcome !== "error") this.item.attempts++;
    this.draw();
    await this.keep();
  }

  private drawResult(result: ExerciseResult, aside: string): void {
    this.results.replaceChildren(
      ...drawResults(result, {
        file: `${this.data.id}.py`,
        show: (line) => void this.panel.editor.reveal(line),
        aside,
      }),
    );
  }

  private reset(): void {
    const mine = this.panel.editor.value;
    this.panel.editor.setValue(this.panel.editor.starter);
    this.panel.say("Your file is as the lesson has it again.");
    if (mine === this.panel.editor.starter) return;
    const undo = h("button", { type: "button", class: "sb-link" }, "Bring my version back");
    undo.addEventListener("click", () => {
      this.panel.editor.setValue(mine);
      this.panel.say("");
    });
    part(this.node, "note").append(" ", undo, ".");
  }

  private hint(): void {
    if (this.item.hints < this.data.hints.length) this.item.hints++;
    void this.keep();
    this.drawHints();
  }

  private drawHints(): void {
    const shown = this.data.hints.slice(0, this.item.hints);
    const list = h("ol", {}, ...shown.map((text) => h("li", {}, ...inline(text))));
    part(this.node, "hints").replaceChildren(...(shown.length > 0 ? [list] : []));
    if (this.data.hints.length === 0) return;
    const button = part<HTMLButtonElement>(this.node, "hint");
    const next = Math.min(this.item.hints + 1, this.data.hints.length);
    button.textContent = `Hint ${next} of ${this.data.hints.length}`;
    button.disabled = this.item.hints >= this.data.hints.length;
  }

  /** How many more attempts open the solution: 0 when it is open, null when only passing does. */
  private get attemptsLeft(): number | null {
    if (this.item.passed || this.item.solutionSeen) return 0;
    const after = this.data.solutionAfter;
    return after === null ? null : Math.max(0, after - this.item.attempts);
  }

  private solution(): void {
    const box = part(this.node, "solution-text");
    const shown = box.dataset.shows === "solution";
    if (shown) {
      box.replaceChildren();
      delete box.dataset.shows;
      return;
    }
    const left = this.attemptsLeft;
    if (left !== 0) {
      box.replaceChildren(
        h(
          "p",
          { class: "sb-note" },
          left === null
            ? "The solution opens when your file passes."
            : `The solution opens when your file passes, or after ${left} more ${left === 1 ? "check" : "checks"}.`,
          " It is only hidden from a glance: whatever a page can show, its reader can find, so points earned here are for you alone.",
        ),
      );
      return;
    }
    if (!this.item.passed) this.item.solutionSeen = true;
    void this.keep();
    box.dataset.shows = "solution";
    const answer = h("pre", { class: "sb-code", tabindex: "0" });
    answer.innerHTML = reveal(this.data.solution, `${this.slug}/${this.data.id}`);
    box.replaceChildren(h("p", { class: "sb-note" }, "One right answer among others:"), answer);
  }

  private draw(): void {
    const { passed, points } = this.item;
    this.node.dataset.state = passed ? "pass" : "open";
    const max = this.data.points;
    part(this.node, "points").textContent = passed
      ? `✓ ${points} of ${max}`
      : `${max} point${max === 1 ? "" : "s"}`;
    const button = part(this.node, "solution");
    const open = this.attemptsLeft === 0;
    button.hidden = this.data.solution === "";
    button.setAttribute("aria-description", open ? "" : "Locked until you pass");
    button.dataset.locked = String(!open);
  }
}
