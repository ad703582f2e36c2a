/** The course map: fills in the reader's progress, says what comes next, saves and reads files. */
import { all, count, h, part } from "./dom";
import { readMap, type MapLab } from "./page";
import { everything, exportText, importText, progress } from "./store";

/** Bring every map and every pair of save buttons on this page to life. */
export async function startMap(): Promise<void> {
  for (const node of all('[data-testid="work"]')) startWork(node);
  await drawProgress();
}

async function drawProgress(): Promise<void> {
  const labs = readMap();
  if (labs.length === 0) return;
  const done = await progress();
  for (const node of all("li[data-lab]")) {
    const lab = JSON.parse(node.dataset.lab ?? "null") as MapLab;
    const passed = done.get(lab.slug) ?? new Map<string, number>();
    const dots = node.querySelector(".sb-map__dots");
    if (!dots) continue;
    const marks = lab.exercises.map(({ id }) => passed.has(id));
    dots.replaceChildren(
      ...marks.flatMap((pass, n) => [n > 0 ? " " : "", pass ? h("b", {}, "●") : "○"]),
    );
    const number = marks.filter(Boolean).length;
    dots.setAttribute("aria-label", `${number} of ${count(marks.length, "exercise")} passed`);
    node.dataset.passed = String(number);
  }
  const recent = (await everything()).map(({ slug }) => slug).reverse();
  drawNext(labs, done, recent);
}

/** "Continue: TITLE", once there is something to continue: what was begun last, or what comes next. */
function drawNext(labs: MapLab[], done: Map<string, Map<string, number>>, recent: string[]): void {
  const begun = labs.some((lab) => (done.get(lab.slug)?.size ?? 0) > 0);
  for (const node of all('[data-testid="continue"]')) {
    const left = (lab: MapLab) => lab.exercises.filter(({ id }) => !done.get(lab.slug)?.has(id));
    const unfinished = labs.filter((lab) => left(lab).length > 0);
    const last = recent.find((slug) => unfinished.some((lab) => lab.slug === slug));
    const next = unfinished.find((lab) => lab.slug === last) ?? unfinished[0];
    const total = labs.flatMap((lab) => lab.exercises).reduce((sum, { points }) => sum + points, 0);
    const points = labs.reduce(
      (sum, lab) => sum + [...(done.get(lab.slug)?.values() ?? [])].reduce((a, b) => a + b, 0),
      0,
    );
    node.hidden = !begun;
    if (!begun) continue;
    const link = document.querySelector<HTMLAnchorElement>(
      `li[data-passed] a[href$="${next?.slug ?? ""}/"]`,
    );
    const minutes = next
      ? Math.max(5, Math.round((next.minutes * left(next).length) / next.exercises.length / 5) * 5)
      : 0;
    node.replaceChildren(
      next && link
        ? h(
            "span",
            {},
            "Continue: ",
            h("a", { href: link.getAttribute("href") ?? "" }, next.title),
            `, about ${minutes} min left`,
          )
        : "Every exercise there is passes. Well done.",
      h("span", { class: "sb-note" }, `${points} of ${total} points`),
    );
  }
}

function startWork(node: HTMLElement): void {
  const note = node.parentElement?.querySelector('[data-testid="work-note"]');
  const say = (text: string) => {
    if (note) note.textContent = text;
  };
  part(node, "export").addEventListener("click", async () => {
    const url = URL.createObjectURL(new Blob([await exportText()], { type: "application/json" }));
    const day = new Date().toISOString().slice(0, 10);
    h("a", { href: url, download: `queue-sandbox-${day}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    say("Saved. The file holds your code, your attempts and your points, and nothing else.");
  });
  const file = part<HTMLInputElement>(node, "import-file");
  part(node, "import").addEventListener("click", () => file.click());
  file.addEventListener("change", async () => {
    const chosen = file.files?.[0];
    if (!chosen) return;
    try {
      const taken = await importText(await chosen.text());
      say(
        taken
          ? `Read ${count(taken, "lesson")} from ${chosen.name}.`
          : "Nothing in the file is newer than what this browser has.",
      );
      await drawProgress();
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
    }
    file.value = "";
  });
}
