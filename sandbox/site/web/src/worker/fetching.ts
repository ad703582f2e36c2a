/**
 * Fetch the bundle's large files: compressed whatever the server does, and streamed.
 *
 * A static host may or may not compress, so the files are gzip already, under a name that no server
 * takes for an encoding, and are unpacked here while they arrive. The browser does that off this
 * thread as long as no JavaScript sits between the network and the unpacking.
 */

/** A file of the bundle, as `publish.py` describes it. */
export interface BundleFile {
  name: string;
  /** What is transferred. */
  packed: number;
  /** What it becomes. */
  bytes: number;
}

/** The unpacked contents as a stream. */
async function unpacked(url: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const response = await fetch(url);
  if (!response.ok || !response.body) {
    throw new Error(`${url} could not be fetched: ${response.status} ${response.statusText}.`);
  }
  return response.body.pipeThrough(new DecompressionStream("gzip"));
}

/** Compile WebAssembly while it arrives. */
export async function compile(url: string): Promise<WebAssembly.Module> {
  const headers = { "Content-Type": "application/wasm" };
  return WebAssembly.compileStreaming(new Response(await unpacked(url), { headers }));
}

/** Read a file whose size is known into one piece of memory, telling how much of it is there. */
export async function read(
  url: string,
  file: BundleFile,
  onPart: (part: number) => void,
): Promise<Uint8Array> {
  const whole = new Uint8Array(file.bytes);
  const reader = (await unpacked(url)).getReader();
  let offset = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    whole.set(value, offset);
    offset += value.byteLength;
    onPart(offset / file.bytes);
  }
  if (offset !== file.bytes) throw new Error(`${url} is not complete. Reload the page.`);
  return whole;
}
