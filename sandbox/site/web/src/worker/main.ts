/**
 * The page's worker: boots one Python and answers requests, one at a time.
 *
 * What a request means is decided in `sandbox/site/runtime.py`; this passes it on as JSON and
 * streams what is printed meanwhile. What crosses the boundary is typed in `messages.ts`.
 */

import type { PyodideAPI } from "pyodide";
import type { PyProxy } from "pyodide/ffi";

import type { Boot, Parts, Report, Request } from "../messages";
import { boot } from "./boot";
import { hasJspi } from "./restore";

const began = performance.now();
let python: Promise<PyodideAPI> | null = null;
/** Requests are answered in the order they came. */
let turn: Promise<void> = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<Boot | Request>) => {
  if (data.type === "boot") python = start(data);
  else turn = turn.then(() => answer(data));
};

function tell(report: Report, transfer: Transferable[] = []): void {
  self.postMessage(report, { transfer });
}

async function start(message: Boot): Promise<PyodideAPI> {
  try {
    const { pyodide, parts } = await boot(message, (step, percent) =>
      tell({ type: "progress", step, percent }),
    );
    tellReady(parts);
    return pyodide;
  } catch (error) {
    console.error(error);
    tell({ type: "boot_failed", message: `Python could not be started: ${words(error)}` });
    throw error;
  }
}

function tellReady(parts: Parts | undefined): void {
  performance.mark("sandbox:python");
  const milliseconds = performance.now() - began;
  const ready: Report = { type: "ready", jspi: hasJspi(), milliseconds };
  if (parts) tell({ ...ready, parts }, [parts.snapshot]);
  else tell(ready);
}

async function answer(request: Request): Promise<void> {
  const { type, id, ...rest } = request;
  try {
    const pyodide = await python!;
    const write = (text: string) => tell({ type: "output", id, text });
    performance.mark("sandbox:asked");
    const handle = runtime(pyodide);
    const call = hasJspi() ? handle.callPromising.bind(handle) : handle;
    const said = JSON.parse(await call(JSON.stringify({ ...rest, request: type }), write));
    if ("failed" in said) tell({ type: "failed", id, ...said.failed });
    else tell({ type: "done", id, result: said.result });
  } catch (error) {
    const traceback = error instanceof Error ? (error.stack ?? "") : "";
    tell({ type: "failed", id, message: words(error), traceback });
  }
}

let handle: PyProxy | null = null;

function runtime(pyodide: PyodideAPI): PyProxy {
  handle ??= pyodide.pyimport("sandbox.site.runtime").handle as PyProxy;
  return handle;
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
