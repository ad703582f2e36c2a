/** A lesson's cell. Running it runs the cells above it first, if this page has not run them yet. */
import { Panel } from "./panel";

export class Cell {
  readonly panel: Panel;
  /** Ran to its end in the world that the page's cells share. */
  done = false;

  constructor(
    readonly node: HTMLElement,
    lesson: { runTo(cell: Cell): void },
  ) {
    this.panel = new Panel(node);
    this.panel.isMine = (file) => new RegExp(`\\bcell[ -_]?${this.number}\\b`).test(file);
    this.panel.on("run", () => lesson.runTo(this));
    this.panel.on("reset", () => {
      this.panel.editor.setValue(this.panel.editor.starter);
      this.panel.say("The cell is as the lesson has it again.");
    });
    this.panel.editor.onRun = () => lesson.runTo(this);
  }

  get number(): number {
    return Number(this.node.dataset.cell);
  }
}
