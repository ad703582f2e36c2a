/**
 * Build the worker: `node worker.mjs OUT.js FILES`, with FILES the bundle's files as JSON.
 *
 * Pyodide's loader is bundled in; its way into Node's own modules is never taken in a browser.
 */
import { build } from "esbuild";

const [outfile, files] = process.argv.slice(2);
await build({
  entryPoints: ["src/worker/main.ts"],
  outfile,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  external: ["node:*", "ws"],
  define: { BUNDLE: files },
  legalComments: "eof",
  logLevel: "warning",
});
