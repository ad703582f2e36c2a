"""From the files that Node restores to the files that a browser fetches.

Large files are compressed here, because a static host may not do it, and named by their content, so
that they may be kept for ever. Only `worker.js` keeps its name; it knows all others'.

To change how files are fetched, change this and `web/src/worker/fetching.ts` together.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from sandbox.site.bundle.cache import Say, digest, step
from sandbox.site.bundle.errors import BundleError
from sandbox.site.bundle.nodejs import Node
from sandbox.site.bundle.npm import web_folder

#: Written last: what is there is complete.
MANIFEST = "bundle.json"

#: 9 costs a build several seconds and saves a visitor one part in a hundred.
GZIP_LEVEL = 6


def publish(runtime: Path, node: Node, say: Say) -> Path:
    """Return a folder with everything a browser fetches, made from `build_runtime`'s folder."""
    web = web_folder()
    worker = (web / "src" / "worker", web / "src" / "messages.ts", web / "node" / "worker.mjs")
    key = digest(runtime, *worker, web / "package-lock.json", str(GZIP_LEVEL))

    def make(folder: Path) -> None:
        manifest = json.loads((runtime / "node.json").read_text(encoding="utf-8"))
        pyodide = web / "node_modules" / "pyodide"
        files = {
            "loader": _put(pyodide / "pyodide.asm.mjs", folder),
            "wasm": _packed(pyodide / "pyodide.asm.wasm", folder, say),
            "snapshot": _packed(runtime / manifest["snapshot"], folder, say),
            "archives": [_put(runtime / name, folder) for name in manifest["archives"]],
        }
        _build_worker(node, folder / "worker.js", files)
        shutil.copyfile(pyodide / "package.json", folder / "pyodide-package.json")
        (folder / MANIFEST).write_text(json.dumps(files, indent=1), encoding="utf-8")

    return step("published", key, make, say, "Compressing the bundle and building its worker")


def copy_changed(published: Path, out: Path) -> Path:
    """Make `out` the same as `published`, copying only what differs; returns the manifest."""
    out.mkdir(parents=True, exist_ok=True)
    wanted = {path.name for path in published.iterdir()}
    for path in out.iterdir():
        if path.name not in wanted and path.is_file():
            path.unlink()
    for name in sorted(wanted, key=lambda name: name == MANIFEST):
        source, target = published / name, out / name
        if not target.is_file() or target.read_bytes() != source.read_bytes():
            shutil.copyfile(source, target)
    return out / MANIFEST


def _put(source: Path, folder: Path) -> dict[str, str | int]:
    return _write(source, folder, source.suffix, source.stem, lambda data: data)


def _packed(source: Path, folder: Path, say: Say) -> dict[str, str | int]:
    def pack(data: bytes) -> bytes:
        return gzip.compress(data, GZIP_LEVEL, mtime=0)

    # Not `.gz`: some servers would call that an encoding, and the browser would unpack it first.
    return _write(source, folder, ".bin", source.name.replace(".", "-"), pack)


def _write(
    source: Path, folder: Path, suffix: str, stem: str, pack: Callable[[bytes], bytes]
) -> dict[str, str | int]:
    data = source.read_bytes()
    packed = pack(data)
    name = f"{stem}-{digest(data)[:12]}{suffix}"
    (folder / name).write_bytes(packed)
    return {"name": name, "packed": len(packed), "bytes": len(data)}


def _build_worker(node: Node, target: Path, files: Mapping[str, object]) -> None:
    done = node.run("node/worker.mjs", target, json.dumps(files), cwd=web_folder())
    if done.returncode != 0:
        raise BundleError(f"The page's worker could not be built. esbuild said:\n{done.stderr}")
