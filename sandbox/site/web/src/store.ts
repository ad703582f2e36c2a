/**
 * The reader's work: code, attempts and progress, in this browser's IndexedDB.
 *
 * One record per lesson version, keyed `slug@version`. When a lesson changes, its version does, and
 * the record of the version before is what "keep mine / take new / compare" starts from. A browser
 * that refuses storage (some private windows) gets a store that lasts as long as the page.
 */
import type { CheckRow } from "./results";

const DATABASE = "queue-sandbox";
const TABLE = "work";
const FORMAT = "queue-sandbox-work";

export interface Item {
  /** The reader's text, absent while it is what the lesson ships. */
  code?: string;
  /** What the lesson shipped when that text was written. */
  starter?: string;
  attempts: number;
  hints: number;
  solutionSeen: boolean;
  points: number;
  passed: boolean;
  /** The rows of the last check. */
  rows: CheckRow[];
}

export interface Work {
  key: string;
  slug: string;
  version: string;
  updated: number;
  /** By "exercise id", "cell:n" or "predict:n". */
  items: Record<string, Item>;
  /** Chosen options of questions, by number. */
  predictions: Record<string, number>;
}

export const newItem = (): Item => ({
  attempts: 0,
  hints: 0,
  solutionSeen: false,
  points: 0,
  passed: false,
  rows: [],
});

let database: Promise<IDBDatabase | null> | null = null;
const inMemory = new Map<string, Work>();

function open(): Promise<IDBDatabase | null> {
  database ??= new Promise((resolve) => {
    let request: IDBOpenDBRequest;
    try {
      request = indexedDB.open(DATABASE, 1);
    } catch {
      resolve(null);
      return;
    }
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: "key" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null);
    request.onblocked = () => resolve(null);
  });
  return database;
}

/** Everything this browser holds, oldest change first. */
export async function everything(): Promise<Work[]> {
  const db = await open();
  const found = db
    ? await new Promise<Work[]>((resolve) => {
        const request = db.transaction(TABLE).objectStore(TABLE).getAll();
        request.onsuccess = () => resolve(request.result as Work[]);
        request.onerror = () => resolve([]);
      })
    : [...inMemory.values()];
  return found.sort((a, b) => a.updated - b.updated);
}

export async function save(work: Work): Promise<void> {
  work.updated = Date.now();
  const db = await open();
  if (!db) {
    inMemory.set(work.key, work);
    return;
  }
  await new Promise<void>((resolve) => {
    const transaction = db.transaction(TABLE, "readwrite");
    transaction.objectStore(TABLE).put(work);
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => resolve();
    transaction.onerror = () => resolve();
  });
}

/** Whether work outlives this page. */
export async function isKept(): Promise<boolean> {
  return (await open()) !== null;
}

/**
 * The work on one lesson: this version's record (a new one if there is none) and, if this version
 * is new to the reader, the newest record of another version.
 */
export async function load(
  slug: string,
  version: string,
): Promise<{ work: Work; before: Work | null }> {
  const key = `${slug}@${version}`;
  const records = (await everything()).filter((record) => record.slug === slug);
  const current = records.find((record) => record.key === key);
  if (current) return { work: current, before: null };
  const work: Work = { key, slug, version, updated: 0, items: {}, predictions: {} };
  return { work, before: records.at(-1) ?? null };
}

/** All work as one file's text. It is what `importText` reads, and what a learner hands in. */
export async function exportText(): Promise<string> {
  const file = {
    format: FORMAT,
    format_version: 1,
    exported: new Date().toISOString(),
    work: await everything(),
  };
  return `${JSON.stringify(file, null, 1)}\n`;
}

/**
 * Take in a file written by `exportText`; of two records of one lesson version the newer wins.
 *
 * Returns how many records were taken. Throws an Error with a sentence for the reader otherwise.
 */
export async function importText(text: string): Promise<number> {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    throw new Error("This file is not one that this page saved: it does not hold JSON.");
  }
  const { format, work } = (file ?? {}) as { format?: string; work?: unknown };
  if (format !== FORMAT || !Array.isArray(work)) {
    throw new Error("This file is not one that this page saved. Choose a file made by “Save”.");
  }
  const mine = new Map((await everything()).map((record) => [record.key, record]));
  let taken = 0;
  for (const record of work as Partial<Work>[]) {
    if (typeof record.slug !== "string" || typeof record.version !== "string") continue;
    const key = `${record.slug}@${record.version}`;
    const updated = Number(record.updated) || 0;
    if ((mine.get(key)?.updated ?? -1) >= updated) continue;
    const items: Record<string, Item> = {};
    for (const [name, item] of Object.entries(record.items ?? {})) {
      items[name] = { ...newItem(), ...item };
    }
    await put({
      key,
      slug: record.slug,
      version: record.version,
      updated,
      items,
      predictions: record.predictions ?? {},
    });
    taken++;
  }
  return taken;
}

/** Write a record with the time it came with. */
async function put(work: Work): Promise<void> {
  const db = await open();
  if (!db) {
    inMemory.set(work.key, work);
    return;
  }
  await new Promise<void>((resolve, reject) => {
    const transaction = db.transaction(TABLE, "readwrite");
    transaction.objectStore(TABLE).put(work);
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(new Error("This browser refused to store the file."));
  });
}

/** Per lab, the exercises that passed in any version, with the points they gave. */
export async function progress(): Promise<Map<string, Map<string, number>>> {
  const labs = new Map<string, Map<string, number>>();
  for (const record of await everything()) {
    const passed = labs.get(record.slug) ?? new Map<string, number>();
    for (const [id, item] of Object.entries(record.items)) {
      if (item.passed) passed.set(id, item.points);
    }
    labs.set(record.slug, passed);
  }
  return labs;
}
