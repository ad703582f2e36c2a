/**
 * Import everything once and keep the interpreter's memory.
 *
 *     node --experimental-wasm-jspi node/snapshot.ts PRELOAD.py SNAPSHOT STDLIB.zip ARCHIVE.zip...
 *
 * Needs JSPI: a snapshot taken without it restores with JSPI switched off.
 */

import { readFile, writeFile } from "node:fs/promises";

import { ARCHIVE_PATHS, hasJspi, startPyodide, writeArchives } from "../src/worker/restore.ts";
import { pieces } from "./pieces.ts";

const [preload, output, ...files] = process.argv.slice(2) as [string, string, ...string[]];
if (!hasJspi()) throw new Error("This Node has no JSPI: start it with --experimental-wasm-jspi.");

const pyodide = await startPyodide({ ...pieces(), makeSnapshot: true });
writeArchives(pyodide, await Promise.all(files.map((file) => readFile(file))));
pyodide.setStdout({ batched: (text) => console.log(text) });
pyodide.setStderr({ batched: (text) => console.error(text) });
pyodide.pyimport("sys").path.extend(ARCHIVE_PATHS);
await pyodide.runPythonAsync(await readFile(preload, "utf8"));
await writeFile(output, pyodide.makeMemorySnapshot());
