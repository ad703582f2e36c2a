/**
 * Start Pyodide from parts that are already here, with or without a memory snapshot.
 *
 * `loadPyodide` fetches what it needs, one thing after another. The page fetches everything at once,
 * compressed, keeps it for the next worker, and Node reads files; so this hands Pyodide the compiled
 * WebAssembly, the standard library and the snapshot, and nothing is fetched twice. The same code
 * runs in the browser and under Node, which is what makes the tests worth something.
 *
 * Three of Pyodide's habits are worked around here and nowhere else:
 *
 * - it fetches `pyodide.asm.wasm` itself: `instantiateWasm` is replaced by ours;
 * - restoring a snapshot larger than the initial memory fails ("offset is out of bounds"), because
 *   the memory is exported by the module and so ignores INITIAL_MEMORY: ours grows it first;
 * - files are not part of a snapshot: the caller writes the archives again (`writeArchives`).
 */

import { loadPyodide } from "pyodide";
import type { PyodideAPI, PyodideConfig } from "pyodide";

/**
 * Where our own package and the libraries live in Pyodide's file system: first what every lesson
 * uses, then what only some want. `build.py` makes them in this order.
 */
export const ARCHIVE_PATHS = ["sandbox", "packages", "kafka", "redis", "clients"].map(
  (name) => `/lib/${name}.zip`,
);

/** The standard library's place; Pyodide's own convention. */
export const STDLIB_PATH = "/lib/python314.zip";

const PAGE_BYTES = 65536;
const EMPTY_ZIP = "data:application/zip;base64,UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==";

type Settings = {
  instantiateWasm: (
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ) => object;
};
type CreateModule = (settings: Settings) => Promise<unknown>;

export interface Ingredients {
  /** `pyodide.asm.mjs`'s default export. */
  createPyodideModule: Promise<CreateModule>;
  /** `pyodide.asm.wasm`, compiled. */
  module: Promise<WebAssembly.Module>;
  /** Absent: a bare interpreter, from which a snapshot can be made. */
  snapshot?: Promise<Uint8Array>;
  /** Node only: the folder of the `pyodide` package, to start without a snapshot. */
  folder?: string;
  makeSnapshot?: boolean;
  jsglobals?: object;
}

/** Start Python. What it prints goes nowhere until the caller sets its streams. */
export async function startPyodide(from: Ingredients): Promise<PyodideAPI> {
  const nothing = () => {};
  const config: PyodideConfig = {
    indexURL: from.folder ?? "/",
    stdLibURL: from.folder ? `${from.folder}/python_stdlib.zip` : EMPTY_ZIP,
    // No package is ever loaded from Pyodide's own index: everything is in our archives.
    lockFileContents: LOCK_FILE,
    packageBaseUrl: "/",
    stdout: nothing,
    stderr: nothing,
    // Otherwise the path of the script that made the snapshot.
    _sysExecutable: "/usr/bin/python",
    env: { HOME: "/home/learner", PYTHONHASHSEED: "0" },
    createPyodideModule: (async (settings: Settings) => {
      settings.instantiateWasm = instantiateWith(from);
      return (await from.createPyodideModule)(settings);
    }) as unknown as NonNullable<PyodideConfig["createPyodideModule"]>,
    _makeSnapshot: from.makeSnapshot ?? false,
    ...(from.jsglobals ? { jsglobals: from.jsglobals } : {}),
    ...(from.snapshot ? { _loadSnapshot: from.snapshot } : {}),
  };
  return withoutFetchingWasm(() => loadPyodide(config));
}

/** Write what a snapshot leaves out. `stdlib` first, then the archives of `ARCHIVE_PATHS`. */
export function writeArchives(pyodide: PyodideAPI, archives: Uint8Array[]): void {
  const [stdlib, ...rest] = archives;
  if (stdlib) pyodide.FS.writeFile(STDLIB_PATH, stdlib);
  rest.forEach((bytes, i) => pyodide.FS.writeFile(ARCHIVE_PATHS[i]!, bytes));
}

/** True where a Python call can wait for a promise, so that a world can have many processes. */
export function hasJspi(): boolean {
  return "Suspending" in WebAssembly && "promising" in WebAssembly;
}

function instantiateWith(from: Ingredients): Settings["instantiateWasm"] {
  return (imports, done) => {
    (async () => {
      // What Pyodide's loader would have added, in the form it uses on iOS.
      const marker = Symbol("error marker");
      imports.env!.Jsv_GetError_import = () => marker;
      imports.env!.JsvError_Check = (value: unknown) => value === marker;
      const module = await from.module;
      const instance = await WebAssembly.instantiate(module, imports);
      if (from.snapshot) grow(instance, (await from.snapshot).byteLength);
      done(instance, module);
    })().catch((error: unknown) =>
      queueMicrotask(() => {
        throw error;
      }),
    );
    return {};
  };
}

function grow(instance: WebAssembly.Instance, bytes: number): void {
  const memory = instance.exports.memory as WebAssembly.Memory;
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
}

/** Pyodide's loader asks for the WebAssembly before it can be told that we have it. */
async function withoutFetchingWasm<T>(start: () => Promise<T>): Promise<T> {
  const fetch = globalThis.fetch;
  globalThis.fetch = ((input: RequestInfo | URL, init?: RequestInit) =>
    String(input).endsWith("pyodide.asm.wasm")
      ? Promise.resolve(new Response(null))
      : fetch(input, init)) as typeof fetch;
  try {
    return await start();
  } finally {
    globalThis.fetch = fetch;
  }
}

const LOCK_FILE = JSON.stringify({
  info: {
    abi_version: "2026_0",
    arch: "wasm32",
    platform: "emscripten_5_0_3",
    python: "3.14.2",
    version: "314.0.7",
  },
  packages: {},
});
