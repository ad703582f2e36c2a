/** The page's entry: finds what there is to bring to life, and replays presses that came early. */
import type { Early } from "./interpreter";
import { Lesson } from "./lesson";
import { startMap } from "./map";
import { readPage } from "./page";

declare global {
  interface Window {
    /** What was pressed before this script ran, and what that set off (`theme/main.html`). */
    __sandboxEarly?: (Early & { buttons: HTMLElement[] }) | undefined;
  }
}

async function start(): Promise<void> {
  const page = readPage();
  const early = window.__sandboxEarly;
  window.__sandboxEarly = undefined;
  document.documentElement.classList.replace("no-js", "js");
  if (page) {
    const lesson = new Lesson(page, early);
    const ready = lesson.start();
    for (const button of early?.buttons ?? []) button.click();
    await ready;
    const idle = window.requestIdleCallback ?? ((action: () => void) => setTimeout(action, 200));
    idle(() => void lesson.upgradeEditors(), { timeout: 1500 });
  }
  await startMap();
}

void start();
