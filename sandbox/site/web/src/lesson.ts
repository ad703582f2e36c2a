/**
 * A page's lesson: its cells in one world, its questions, its exercises, and the reader's work.
 */
import { advice } from "./advice";
import { Cell } from "./cell";
import { changedNotice } from "./changed";
import { all } from "./dom";
import type { Editor } from "./editor";
import { Exercise } from "./exercise";
import type { Early } from "./interpreter";
import type { PageData } from "./page";
import { Predict } from "./predict";
import { Python } from "./python";
import { type Item, load, newItem, save, type Work } from "./store";

const SAVE_DELAY_MS = 300;

export class Lesson {
  readonly python: Python;
  private readonly cells: Cell[];
  private readonly predicts: Predict[];
  private exercises: Exercise[] = [];
  private work!: Work;
  private timer = 0;
  private queue: Promise<void> = Promise.resolve();

  constructor(
    private readonly page: PageData,
    early?: Early,
  ) {
    this.python = new Python(page.slug, page.seed, early);
    this.python.onNewWorld = () => {
      for (const cell of this.cells) cell.done = false;
    };
    this.cells = all("[data-cell]").map((node) => new Cell(node, this));
    this.predicts = all<HTMLFormElement>("form[data-predict]").map(
      (node) => new Predict(node, this.veilAfter(node)),
    );
    const notice = advice();
    if (notice) document.querySelector(".sb-lab-head, h1")?.after(notice);
  }

  /** Bring the reader's work back, then the exercises to life. */
  async start(): Promise<void> {
    this.work = { key: "", slug: "", version: "", updated: 0, items: {}, predictions: {} };
    for (const data of this.page.exercises) {
      const node = document.querySelector<HTMLElement>(`[data-exercise="${data.id}"]`);
      if (!node) continue;
      const item = newItem();
      this.exercises.push(
        new Exercise(node, data, this.page.slug, this.python, item, () => {
          this.work.items[data.id] = item;
          return this.saveNow();
        }),
      );
    }
    for (const { panel } of [...this.cells, ...this.exercises]) {
      panel.onReach(() => this.python.warm());
    }
    const { work, before } = await load(this.page.slug, this.page.version);
    this.work = work;
    for (const exercise of this.exercises) {
      const id = exercise.node.dataset.exercise ?? "";
      this.restore(exercise.panel.editor, id, exercise.item, before);
      exercise.restore();
    }
    for (const cell of this.cells) {
      this.restore(cell.panel.editor, `cell:${cell.number}`, newItem(), before);
    }
    for (const predict of this.predicts) {
      const choice = (work.predictions ?? {})[predict.number];
      if (choice !== undefined) predict.restore(choice);
      predict.onCommit = (chosen) => {
        work.predictions[predict.number] = chosen;
        this.saveSoon();
      };
    }
    window.addEventListener("pagehide", () => {
      if (this.timer) void this.saveNow();
    });
  }

  /** Load CodeMirror into every editor, nearest first, without holding up anything else. */
  async upgradeEditors(): Promise<void> {
    for (const { panel } of [...this.cells, ...this.exercises]) await panel.editor.upgrade();
  }

  /** Run a cell, and before it every cell above that has not run in this world. */
  runTo(target: Cell): void {
    this.queue = this.queue.then(() => this.runCells(target));
  }

  private async runCells(target: Cell): Promise<void> {
    const above = this.cells.filter((cell) => cell.number < target.number && !cell.done);
    for (const cell of [...above, target]) {
      const ran = await this.runCell(cell);
      if (!ran) {
        if (cell !== target)
          target.panel.say(`Cell ${cell.number}, which this one builds on, did not end well.`);
        return;
      }
    }
    if (above.length > 0) {
      const numbers = above.map((cell) => cell.number).join(", ");
      target.panel.say(
        `Ran ${above.length === 1 ? "cell" : "cells"} ${numbers} first: the cells of a lesson share one world.`,
      );
    }
  }

  private async runCell(cell: Cell): Promise<boolean> {
    this.predictBefore(cell)?.overtaken();
    cell.panel.clear();
    cell.done = false;
    const lost = "The next Run starts a new world and runs the cells above again.";
    const ended = await cell.panel.during(lost, async (hooks) => {
      const result = await this.python.cell(cell.number, cell.panel.editor.value, hooks);
      cell.panel.finish(result);
      cell.done = !result.error && this.python.hasWorld;
    });
    return ended && cell.done;
  }

  private restore(editor: Editor, name: string, item: Item, before: Work | null): void {
    const typed = editor.value;
    Object.assign(item, this.work.items[name] ?? carriedOver(before?.items[name]));
    const { code, starter } = item;
    if (typed !== editor.starter) {
      // Changed while the store was being read: what is on the screen wins.
      item.code = typed;
      item.starter = editor.starter;
      this.keep(name, item);
    } else if (code !== undefined && code !== editor.starter) {
      editor.setValue(code);
      if (starter !== undefined && starter !== editor.starter) {
        const settle = () => {
          item.starter = editor.starter;
          this.keep(name, item);
        };
        editor.node.before(
          changedNotice({
            mine: code,
            theirs: editor.starter,
            keep: settle,
            take: () => {
              editor.setValue(editor.starter);
              settle();
            },
          }),
        );
      }
    }
    editor.onChange = (text) => {
      if (text === editor.starter) {
        delete item.code;
        delete item.starter;
      } else {
        item.code = text;
        item.starter ??= editor.starter;
      }
      this.keep(name, item);
    };
  }

  private keep(name: string, item: Item): void {
    this.work.items[name] = item;
    this.saveSoon();
  }

  private saveSoon(): void {
    document.documentElement.dataset.work = "changed";
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.saveNow(), SAVE_DELAY_MS);
  }

  private async saveNow(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = 0;
    if (this.work.key) await save(this.work);
    if (!this.timer) document.documentElement.dataset.work = "saved";
  }

  /** The question whose next cell is `cell`. */
  private predictBefore(cell: Cell): Predict | undefined {
    return this.predicts.find(({ node }) => this.cellAfter(node) === cell.node);
  }

  private cellAfter(node: Element): Element | undefined {
    return all("[data-cell]").find(
      (cell) => node.compareDocumentPosition(cell) & Node.DOCUMENT_POSITION_FOLLOWING,
    );
  }

  private veilAfter(node: Element): HTMLElement | null {
    return this.cellAfter(node)?.querySelector<HTMLElement>(".sb-output--veiled") ?? null;
  }
}

/** What an older version's item is worth in this one: everything but its check rows. */
function carriedOver(item: Item | undefined): Item {
  return item ? { ...structuredClone(item), rows: [] } : newItem();
}
