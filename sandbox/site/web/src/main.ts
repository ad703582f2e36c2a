/** The page's entry: finds what there is to bring to life, and replays presses that came early. */
import { Lesson } from "./lesson";
import { startMap } from "./map";
import { readPage } from "./page";

declare global {
  interface Window {
    /** Buttons pressed before this script ran (theme/main.html keeps them). */
    __sandboxEarly?: HTMLElement[] | undefined;
  }
}

async function start(): Promise<void> {
  const page = readPage();
  const early = window.__sandboxEarly ?? [];
  window.__sandboxEarly = undefined;
  document.documentElement.classList.replace("no-js", "js");
  if (page) {
    const lesson = new Lesson(page);
    const ready = lesson.start();
    for (const button of early) button.click();
    await ready;
    const idle = window.requestIdleCallback ?? ((action: () => void) => setTimeout(action, 200));
    idle(() => void lesson.upgradeEditors(), { timeout: 1500 });
  }
  await startMap();
}

void start();
