/**
 * Archives in Pyodide's file system that are fetched when Python first reads them.
 *
 * The snapshot holds every module that was imported when it was made, so most programs never open
 * an archive; one that imports something rarer waits for it once. Python's file calls cannot wait
 * for a promise, hence the synchronous request, which a worker may make.
 */

import type { PyodideAPI } from "pyodide";

/** Put a file of `bytes` bytes at `path` whose contents come from `url` when they are needed. */
export function lazyFile(pyodide: PyodideAPI, path: string, url: string, bytes: number): void {
  pyodide.FS.writeFile(path, new Uint8Array(0));
  const { node } = pyodide.FS.lookupPath(path, {}) as { node: Record<string, unknown> };
  node.usedBytes = bytes;
  Object.defineProperty(node, "contents", {
    configurable: true,
    get() {
      const value = fetchNow(url);
      Object.defineProperty(node, "contents", { value, writable: true, configurable: true });
      return value;
    },
  });
}

function fetchNow(url: string): Uint8Array {
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  request.responseType = "arraybuffer";
  request.send();
  if (request.status !== 200) {
    throw new Error(`${url} could not be fetched: ${request.status} ${request.statusText}.`);
  }
  return new Uint8Array(request.response as ArrayBuffer);
}
