/**
 * Fetch the bundle's large files: compressed whatever the server does, streamed, and counted.
 *
 * A static host may or may not compress, so the files are gzip already, under a name that no server
 * takes for an encoding, and are unpacked here while they arrive.
 */

/** A file of the bundle, as `publish.py` describes it. */
export interface BundleFile {
  name: string;
  /** What is transferred. */
  packed: number;
  /** What it becomes. */
  bytes: number;
}

/** Told after every piece that arrived. */
export type OnPiece = (bytes: number) => void;

/** The unpacked contents as a stream. */
async function unpacked(url: string, onPiece: OnPiece): Promise<ReadableStream<Uint8Array>> {
  const response = await fetch(url);
  if (!response.ok || !response.body) {
    throw new Error(`${url} could not be fetched: ${response.status} ${response.statusText}.`);
  }
  const counter = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(piece, controller) {
      onPiece(piece.byteLength);
      controller.enqueue(piece);
    },
  });
  return response.body.pipeThrough(counter).pipeThrough(new DecompressionStream("gzip"));
}

/** Compile WebAssembly while it arrives. */
export async function compile(url: string, onPiece: OnPiece): Promise<WebAssembly.Module> {
  const body = await unpacked(url, onPiece);
  const headers = { "Content-Type": "application/wasm" };
  return WebAssembly.compileStreaming(new Response(body, { headers }));
}

/** Read a file whose size is known into one piece of memory. */
export async function read(url: string, file: BundleFile, onPiece: OnPiece): Promise<Uint8Array> {
  const whole = new Uint8Array(file.bytes);
  const reader = (await unpacked(url, onPiece)).getReader();
  let offset = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    whole.set(value, offset);
    offset += value.byteLength;
  }
  if (offset !== file.bytes) throw new Error(`${url} is not complete. Reload the page.`);
  return whole;
}
