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
  const onPiece = counter(BUNDLE.wasm.packed + BUNDLE.snapshot.packed, (percent) =>
    onProgress("Python", percent),
  );
  const { parts } = message;
  const module = parts
    ? Promise.resolve(parts.module)
    : compile(url(BUNDLE.wasm), onPiece);
  const snapshot = parts
    ? Promise.resolve(new Uint8Array(parts.snapshot))
    : read(url(BUNDLE.snapshot), BUNDLE.snapshot, onPiece);
  const pyodide = await startPyodide({
    createPyodideModule: loader.then((loaded) => loaded.default),
    module,
    snapshot,
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

/** Turn arriving bytes into a percentage that never goes back, told once per percent. */
function counter(total: number, tell: (percent: number) => void): (bytes: number) => void {
  let arrived = 0;
  let told = -1;
  return (bytes) => {
    arrived += bytes;
    const percent = Math.floor((FETCHING_PERCENT * arrived) / total);
    if (percent > told) tell((told = percent));
  };
}
