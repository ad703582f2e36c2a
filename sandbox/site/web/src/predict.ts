/**
 * A question to commit to before running the next cell.
 *
 * Until the reader has chosen, what the next cell printed is blurred. Running the cell first is
 * allowed: it opens the answer, and says so, because a page that locks its buttons teaches nothing.
 */
import { all, h, part } from "./dom";

export class Predict {
  /** Called when the reader commits to an option. */
  onCommit: (choice: number) => void = () => {};
  private answered = false;
  private reason: Node[] | null = null;

  constructor(
    readonly node: HTMLFormElement,
    /** The next cell's stored output, if it is blurred. */
    private readonly veiled: HTMLElement | null,
  ) {
    part(node, "answer").hidden = true;
    if (veiled) {
      veiled.tabIndex = 0;
      veiled.addEventListener("click", () => this.unveil());
      veiled.addEventListener("keydown", ({ key }) => key === "Enter" && this.unveil());
    }
    node.addEventListener("submit", (event) => {
      event.preventDefault();
      const choice = this.choice();
      if (choice === null) {
        this.say("Choose one first. A wrong guess teaches more than none.");
        return;
      }
      this.settle(choice);
      this.onCommit(choice);
    });
  }

  get number(): number {
    return Number(this.node.dataset.predict);
  }

  /** Show a choice made earlier. */
  restore(choice: number): void {
    const input = this.inputs()[choice];
    if (!input) return;
    input.checked = true;
    this.settle(choice);
  }

  /** The next cell is being run. */
  overtaken(): void {
    this.unveil();
    if (!this.answered) this.settle(null);
  }

  private unveil(): void {
    this.veiled?.classList.remove("sb-output--veiled");
    if (this.veiled) this.veiled.tabIndex = -1;
  }

  private inputs(): HTMLInputElement[] {
    return all<HTMLInputElement>("input", this.node);
  }

  private choice(): number | null {
    const index = this.inputs().findIndex((input) => input.checked);
    return index < 0 ? null : index;
  }

  private settle(choice: number | null): void {
    this.answered = true;
    let right = false;
    this.inputs().forEach((input, index) => {
      input.disabled = true;
      const label = input.closest("label");
      if ("right" in input.dataset) {
        label?.setAttribute("data-verdict", "right");
        right = index === choice;
      } else if (index === choice) label?.setAttribute("data-verdict", "wrong");
    });
    this.node.querySelector("button")?.remove();
    this.unveil();
    this.say(choice === null ? "You ran it before guessing." : right ? "Yes." : "Not quite.");
  }

  private say(verdict: string): void {
    const because = part(this.node, "because");
    because.hidden = false;
    const paragraph = because.querySelector("p");
    if (!paragraph) return;
    this.reason ??= [...paragraph.childNodes];
    paragraph.replaceChildren(
      h("strong", {}, verdict),
      ...(this.answered ? [" ", ...this.reason] : []),
    );
  }
}
