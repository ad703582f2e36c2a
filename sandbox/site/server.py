"""A small static server: right types, honest caching, compressed files where they exist.

`sandbox serve` and the browser tests use it. It serves one folder on loopback only and does what
any static host does, with three things that Python's own `http.server` lacks: the types that
browsers insist on (`application/wasm` for streaming compilation), `ETag`s with "revalidate" for
pages and "never again" for files whose name holds their hash, and `FILE.gz` or `FILE.br` in place
of FILE when the browser accepts it. A `prefix` serves the folder below a path, as a course site
under `/courses/queues/` would.
"""

from __future__ import annotations

import mimetypes
import posixpath
import re
import sys
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

#: Types that are missing or wrong in some machines' tables.
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
    ".whl": "application/zip",
    ".zip": "application/zip",
    ".gz": "application/gzip",
}

#: A file whose name holds its content's hash never changes: `main-7RJT2QKA.js`.
HASHED = re.compile(r"[.-](?:[0-9a-f]{8,64}|[0-9A-Z]{8})\.")

#: What a browser may accept, best first, and what the compressed twin's name ends in.
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))

CHUNK_BYTES = 1 << 18


class Handler(BaseHTTPRequestHandler):
    """Serves files of one folder."""

    protocol_version = "HTTP/1.1"
    server_version = "sandbox"

    def __init__(self, *args: object, root: Path, prefix: str, quiet: bool) -> None:
        self.root = root
        self.prefix = prefix
        self.quiet = quiet
        #: The address names a version (`worker.js?v=3f2c…`), so its content never changes.
        self.versioned = False
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Send a file, or the reason why not."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Send what `do_GET` would, without the file."""
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.versioned = urlsplit(self.path).query.startswith("v=")
        if not path.startswith(self.prefix):
            if path in ("/", self.prefix.rstrip("/")):
                self._redirect(self.prefix)
            else:
                self._not_found(with_body)
            return
        relative = posixpath.normpath("/" + path.removeprefix(self.prefix)).lstrip("/")
        target = (self.root / relative).resolve()
        if not target.is_relative_to(self.root):
            self._not_found(with_body)
        elif target.is_dir() and not path.endswith("/"):
            self._redirect(path + "/")
        elif target.is_dir():
            self._send(target / "index.html", with_body)
        else:
            self._send(target, with_body)

    def _redirect(self, where: str) -> None:
        self.send_response(HTTPStatus.MOVED_PERMANENTLY)
        self.send_header("Location", where)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _not_found(self, with_body: bool) -> None:
        page = self.root / "404.html"
        body = page.read_bytes() if page.is_file() else b"There is no such page."
        self.send_response(HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", TYPES[".html"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def _send(self, path: Path, with_body: bool) -> None:
        chosen, encoding = self._twin(path)
        try:
            file = chosen.open("rb")
        except OSError:
            self._not_found(with_body)
            return
        with file:
            self._send_open(file, path, encoding, with_body)

    def _send_open(self, file: BinaryIO, path: Path, encoding: str, with_body: bool) -> None:
        stat = Path(file.name).stat()
        tag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
        fresh = self.headers.get("If-None-Match") == tag
        self.send_response(HTTPStatus.NOT_MODIFIED if fresh else HTTPStatus.OK)
        self.send_header("ETag", tag)
        self.send_header("Vary", "Accept-Encoding")
        hashed = self.versioned or HASHED.search(path.name) is not None
        self.send_header(
            "Cache-Control", "public, max-age=31536000, immutable" if hashed else "no-cache"
        )
        if not fresh:
            self.send_header("Content-Type", content_type(path))
            self.send_header("Content-Length", str(stat.st_size))
            if encoding:
                self.send_header("Content-Encoding", encoding)
        self.end_headers()
        if with_body and not fresh:
            while chunk := file.read(CHUNK_BYTES):
                self.wfile.write(chunk)

    def _twin(self, path: Path) -> tuple[Path, str]:
        """The file to read and the encoding it is in: a compressed twin where one exists."""
        accepted = {
            part.split(";")[0].strip()
            for part in self.headers.get("Accept-Encoding", "").split(",")
            if not part.replace(" ", "").endswith(";q=0")
        }
        for encoding, ending in ENCODINGS:
            twin = path.with_name(path.name + ending)
            if encoding in accepted and twin.is_file():
                return twin, encoding
        return path, ""

    def log_message(self, format: str, *args: object) -> None:
        """Say what went wrong, and nothing of what went well."""
        if not self.quiet and len(args) > 1 and str(args[1]) >= "400":
            sys.stderr.write(f"{args[0]}: {args[1]}\n")


def content_type(path: Path) -> str:
    """The type a browser should take `path` for."""
    return (
        TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    )


def make_server(
    root: Path, *, port: int = 8000, prefix: str = "/", quiet: bool = False
) -> ThreadingHTTPServer:
    """A server for the folder `root` on 127.0.0.1, listening but not yet serving.

    Port 0 takes any free one; `server_address` then says which.

    Raises:
        OSError: the port is taken, or may not be used.
    """
    prefix = "/" + prefix.strip("/") + "/" if prefix.strip("/") else "/"
    handler = partial(Handler, root=root.resolve(), prefix=prefix, quiet=quiet)
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    return server


def serve(root: Path, *, port: int = 8000, prefix: str = "/") -> None:
    """Serve `root` until Ctrl-C, saying where."""
    if not (root / "index.html").is_file():
        raise FileNotFoundError(f"There is no site in {root}. Build it first: make site")
    server = make_server(root, port=port, prefix=prefix)
    where = f"http://127.0.0.1:{server.server_address[1]}{prefix}"
    print(f"Serving {root} on {where}  (Ctrl-C to stop)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print("\nStopped.")
    finally:
        server.server_close()


if __name__ == "__main__":
    serve(Path(sys.argv[1] if len(sys.argv) > 1 else "site"))
