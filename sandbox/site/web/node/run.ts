/**
 * Run Python exactly as the page's worker does, without a browser.
 *
 *     node --experimental-wasm-jspi node/run.ts BUNDLE_FOLDER [FILE [ARGUMENT...]]
 *
 * Restores the snapshot of BUNDLE_FOLDER and runs FILE (or standard input) as `__main__`, with
 * top-level `await` allowed. The exit status is the program's.
 */

import { readFile } from "node:fs/promises";
import { readFileSync, writeSync } from "node:fs";
import { basename, join } from "node:path";

import { startPyodide, writeArchives } from "../src/worker/restore.ts";
import { pieces } from "./pieces.ts";

const [bundle, file, ...argv] = process.argv.slice(2) as [string, string | undefined, ...string[]];
const { snapshot, archives } = JSON.parse(await readFile(join(bundle, "node.json"), "utf8"));

const pyodide = await startPyodide({
  ...pieces(),
  snapshot: readFile(join(bundle, snapshot)),
});
writeArchives(
  pyodide,
  await Promise.all(archives.map((name: string) => readFile(join(bundle, name)))),
);
const to = (descriptor: number) => ({
  write: (bytes: Uint8Array) => writeSync(descriptor, bytes),
});
pyodide.setStdout(to(1));
pyodide.setStderr(to(2));

const fromStdin = file === undefined || file === "-";
const source = readFileSync(fromStdin ? 0 : file, "utf8");
const name = fromStdin ? "<stdin>" : basename(file);
const status = await pyodide.runPythonAsync(
  `
import sys, traceback
from pyodide.code import eval_code_async
sys.argv = [_name, *_argv]
async def _run(source, name):
    import __main__
    try:
        await eval_code_async(source, vars(__main__), filename=name)
    except SystemExit as exit:
        if exit.code is None or isinstance(exit.code, int):
            return exit.code or 0
        print(exit.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0
await _run(_source, _name)
`,
  { globals: pyodide.toPy({ _source: source, _name: name, _argv: argv }) },
);
process.exit(status);
