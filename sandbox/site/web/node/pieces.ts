/** Pyodide's pieces read from the `pyodide` package: what the page fetches, Node reads from files. */

import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

import type { Ingredients } from "../src/worker/restore.ts";

export const PYODIDE = dirname(fileURLToPath(import.meta.resolve("pyodide/package.json")));

export function pieces(): Pick<Ingredients, "createPyodideModule" | "module" | "folder"> {
  return {
    createPyodideModule: import("pyodide/pyodide.asm.mjs").then((m) => m.default),
    module: readFile(`${PYODIDE}/pyodide.asm.wasm`).then((bytes) => WebAssembly.compile(bytes)),
    folder: PYODIDE,
  };
}

/** End with an error's own words. Node would print the line it came from: one line of a megabyte. */
process.on("uncaughtException", (error: Error) => {
  console.error(error.message ?? String(error));
  process.exit(1);
});
