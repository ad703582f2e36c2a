/** From a `boot` message to a running Python: fetch or take the parts, restore, connect. */

import type { PyodideAPI } from "pyodide";

import type { Boot, Parts } from "../messages";
import { type BundleFile, compile, read } from "./fetching";
import { lazyFile } from "./lazy";
import { ARCHIVE_PATHS, type Ingredients, STDLIB_PATH, startPyodide } from "./restore";

/** The bundle's files, filled in by `publish.py` when the worker is built. */
declare const BUNDLE: {
  loader: BundleFile;
  wasm: BundleFile;
  snapshot: BundleFile;
  archives: BundleFile[];
};

/** What a started worker has. */
export interface Booted {
  pyodide: PyodideAPI;
  /** For the page to keep; only when this worker fetched them. */
  parts?: Parts;
}

/** How much of the boot is fetching; restoring is the rest. */
const FETCHING_PERCENT = 80;

/** Restore Python, telling `onProgress` a word and a percentage. */
export async function boot(
  message: Boot,
  onProgress: (step: string, percent: number) => void,
): Promise<Booted> {
  const url = (file: BundleFile) => new URL(file.name, message.bundle).href;
  const loader: Promise<{ default: Awaited<Ingredients["createPyodideModule"]> }> = import(
    url(BUNDLE.loader)
  );
  const onPart = inPercents((percent) => onProgress("Python", percent));
  const { parts } = message;
  const module = parts ? Promise.resolve(parts.module) : compile(url(BUNDLE.wasm));
  const snapshot = parts
    ? Promise.resolve(new Uint8Array(parts.snapshot))
    : read(url(BUNDLE.snapshot), BUNDLE.snapshot, onPart);
  const pyodide = await startPyodide({
    createPyodideModule: marked("loader", loader).then((loaded) => loaded.default),
    module: marked("module", module),
    snapshot: marked("snapshot", snapshot),
  });
  [STDLIB_PATH, ...ARCHIVE_PATHS].forEach((path, i) => {
    const file = BUNDLE.archives[i]!;
    lazyFile(pyodide, path, url(file), file.bytes);
  });
  onProgress("Python", 100);
  if (parts) return { pyodide };
  const bytes = await snapshot;
  return { pyodide, parts: { module: await module, snapshot: bytes.buffer as ArrayBuffer } };
}

/** Leave a `performance.mark` when something has come, for whoever looks into a slow start. */
function marked<T>(name: string, coming: Promise<T>): Promise<T> {
  return coming.then((value) => {
    performance.mark(`sandbox:${name}`);
    return value;
  });
}

/** Turn parts of the whole into percentages, told once each. */
function inPercents(tell: (percent: number) => void): (part: number) => void {
  let told = -1;
  return (part) => {
    const percent = Math.floor(FETCHING_PERCENT * part);
    if (percent > told) tell((told = percent));
  };
}
