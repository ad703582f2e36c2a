/** A few words for making and finding elements, so that the rest reads as what it draws. */

type Child = Node | string | null | undefined | false;

/** `h("p", { class: "sb-note" }, "text")`: an element, its attributes and its children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | boolean | undefined> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (typeof value === "string") node.setAttribute(name, value);
  }
  node.append(...children.filter((child): child is Node | string => Boolean(child)));
  return node;
}

/** A button that looks like a link and does `action`. */
export function linkButton(text: string, action: () => void): HTMLButtonElement {
  const button = h("button", { type: "button", class: "sb-link" }, text);
  button.addEventListener("click", action);
  return button;
}

export function button(text: string, action: () => void): HTMLButtonElement {
  const node = h("button", { type: "button", class: "sb-button sb-button--second" }, text);
  node.addEventListener("click", action);
  return node;
}

/** The part of a cell or card that has `data-testid="name"`. */
export function part<T extends HTMLElement = HTMLElement>(root: ParentNode, name: string): T {
  const node = root.querySelector<T>(`[data-testid="${name}"]`);
  if (!node) throw new Error(`The page has no part called ${name}.`);
  return node;
}

export function all<T extends HTMLElement = HTMLElement>(
  selector: string,
  root: ParentNode = document,
): T[] {
  return [...root.querySelectorAll<T>(selector)];
}

/** "1 attempt", "2 attempts". */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** Seconds of the world's clock: three digits, as in messages and traces. */
export function worldSeconds(seconds: number): string {
  return `${seconds.toFixed(3)} s`;
}

/** Milliseconds of the reader's clock, for people. */
export function realTime(ms: number): string {
  return ms < 1000 ? `${Math.max(1, Math.round(ms))} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** Text in which `code` between backquotes becomes a code element, and nothing else is markup. */
export function inline(text: string): (Node | string)[] {
  return text
    .split(/(`[^`\n]+`)/)
    .map((piece) =>
      piece.length > 2 && piece.startsWith("`") && piece.endsWith("`")
        ? h("code", {}, piece.slice(1, -1))
        : piece,
    );
}

/** "everything is handled" as "Everything is handled." */
export function asSentence(text: string): string {
  const trimmed = text.trim();
  const ended = /[.?!]$/.test(trimmed) ? trimmed : `${trimmed}.`;
  return ended.charAt(0).toUpperCase() + ended.slice(1);
}
