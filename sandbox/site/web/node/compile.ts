/**
 * Byte-compile wheels with pyodide-build, inside Pyodide, so that the bytecode is that of the
 * Python in the page whatever Python builds the site.
 *
 *     node node/compile.ts TOOLS_FOLDER IN_FOLDER OUT_FOLDER
 *
 * TOOLS_FOLDER holds the wheels of pyodide-build and what it imports. Every wheel of IN_FOLDER
 * is written to OUT_FOLDER with its .py files compiled, under the name pyodide-build gives it.
 */

import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { startPyodide } from "../src/worker/restore.ts";
import { pieces } from "./pieces.ts";

const [tools, input, output] = process.argv.slice(2) as [string, string, string];
const wheels = async (folder: string) =>
  (await readdir(folder)).filter((name) => name.endsWith(".whl")).sort();

const pyodide = await startPyodide(pieces());
pyodide.FS.mkdirTree("/tools");
pyodide.FS.mkdirTree("/wheels");
for (const name of await wheels(tools)) {
  pyodide.FS.writeFile(`/tools/${name}`, await readFile(join(tools, name)));
}
for (const name of await wheels(input)) {
  pyodide.FS.writeFile(`/wheels/${name}`, await readFile(join(input, name)));
}
pyodide.runPython(`
import os, sys
from pathlib import Path
sys.path[:0] = [str(wheel) for wheel in Path("/tools").glob("*.whl")]
# With this set, bytecode carries its source's hash instead of its time: same sources, same bytes.
os.environ["SOURCE_DATE_EPOCH"] = "315532800"
from pyodide_build._py_compile import _py_compile_archive_dir
_py_compile_archive_dir(Path("/wheels"), keep=False, verbose=False, compression_level=0)
`);
await mkdir(output, { recursive: true });
for (const name of pyodide.FS.readdir("/wheels") as string[]) {
  if (name.endsWith(".whl")) {
    await writeFile(join(output, name), pyodide.FS.readFile(`/wheels/${name}`));
  }
}
