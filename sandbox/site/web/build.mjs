/**
 * Build the front end: `node build.mjs ENTRIES OUTDIR`, with ENTRIES as JSON `{name: source}`.
 *
 * Prints a JSON object: for each entry, and for each asset, the name of the file it became.
 */
import { basename } from "node:path";
import { build } from "esbuild";

const [entries, outdir] = process.argv.slice(2);
const { metafile } = await build({
  entryPoints: JSON.parse(entries),
  outdir,
  bundle: true,
  splitting: true,
  minify: true,
  format: "esm",
  target: "es2022",
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".woff2": "file" },
  legalComments: "linked",
  metafile: true,
  logLevel: "warning",
});
const names = {};
for (const [path, { entryPoint, inputs }] of Object.entries(metafile.outputs)) {
  const source = entryPoint ?? Object.keys(inputs).at(0);
  if (source && (entryPoint || path.endsWith(".woff2"))) names[basename(source)] = basename(path);
}
console.log(JSON.stringify(names));
