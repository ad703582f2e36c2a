/**
 * One editor: code that is there at once, and CodeMirror when the reader may need it.
 *
 * The built page holds the code as highlighted text. Until CodeMirror has arrived (it is a file of
 * its own, loaded when the page is idle), the editor's value is that text; Run and Check need no
 * more. The node with `data-testid="editor"` has `setValue(text)` and `getValue()` from the start.
 */
import type { View } from "./codemirror";

interface EditorNode extends HTMLElement {
  setValue(text: string): void;
  getValue(): string;
}

export class Editor {
  /** What the lesson ships. */
  readonly starter: string;
  /** Called after every change, the reader's or ours. */
  onChange: (text: string) => void = () => {};
  /** Called for Ctrl-Enter (or Cmd-Enter) and Shift-Enter. */
  onRun: () => void = () => {};

  private text: string;
  private view: View | null = null;
  private upgrading: Promise<View> | null = null;

  constructor(readonly node: HTMLElement) {
    this.starter = node.querySelector("pre")?.textContent ?? "";
    this.text = this.starter;
    const hooks = node as EditorNode;
    hooks.setValue = (text) => this.setValue(text);
    hooks.getValue = () => this.value;
    const wanted = () => void this.upgrade();
    node.addEventListener("pointerenter", wanted, { once: true });
    node.addEventListener("click", () => void this.upgrade().then((view) => view.focus()), {
      once: true,
    });
  }

  get value(): string {
    return this.text;
  }

  setValue(text: string): void {
    if (text === this.text) return;
    this.text = text;
    if (this.view) this.view.setText(text);
    else {
      const pre = this.node.querySelector("pre");
      if (pre) pre.textContent = text;
    }
    this.onChange(text);
  }

  /** Bring in CodeMirror; the second call and later ones return the same view. */
  upgrade(): Promise<View> {
    this.upgrading ??= import("./codemirror").then(({ createView }) => {
      const pre = this.node.querySelector("pre");
      this.view = createView({
        parent: this.node,
        text: this.text,
        label: this.node.getAttribute("aria-label") ?? "Python",
        onChange: (text) => {
          this.text = text;
          this.onChange(text);
        },
        onRun: () => this.onRun(),
      });
      pre?.remove();
      return this.view;
    });
    return this.upgrading;
  }

  /** Show a line (1 is the first) and put the cursor on it. */
  async reveal(line: number): Promise<void> {
    (await this.upgrade()).reveal(line);
  }
}
