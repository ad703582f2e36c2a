"""The static server: types, caching, compressed twins, prefixes, and nothing outside the folder."""

import gzip
import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.site.server import make_server, serve


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("outside") / "site"
    (root / "labs").mkdir(parents=True)
    (root.parent / "secret.txt").write_text("secret")
    (root / "index.html").write_text("<h1>Home</h1>")
    (root / "labs" / "index.html").write_text("<h1>Labs</h1>")
    (root / "404.html").write_text("<h1>Nothing here</h1>")
    (root / "main-7RJT2QKA.js").write_text("hashed")
    (root / "python.wasm").write_bytes(b"\0asm")
    (root / "big.json").write_text("[1]")
    (root / "big.json.gz").write_bytes(gzip.compress(b"[1]"))
    return root


def serving(root: Path, prefix: str) -> Iterator[http.client.HTTPConnection]:
    server = make_server(root, port=0, prefix=prefix, quiet=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    host, port = server.server_address[:2]
    connection = http.client.HTTPConnection(str(host), port)
    yield connection
    connection.close()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def at_root(site: Path) -> Iterator[http.client.HTTPConnection]:
    yield from serving(site, "/")


@pytest.fixture(scope="module")
def below_prefix(site: Path) -> Iterator[http.client.HTTPConnection]:
    yield from serving(site, "/courses/queues")


def get(
    connection: http.client.HTTPConnection, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, headers=named)
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def test_a_folder_answers_with_its_index(at_root: http.client.HTTPConnection) -> None:
    status, headers, body = get(at_root, "/labs/?x=1")
    assert (status, body) == (200, b"<h1>Labs</h1>")
    assert headers["Content-Type"] == "text/html; charset=utf-8"


def test_a_folder_without_its_slash_is_sent_there(at_root: http.client.HTTPConnection) -> None:
    status, headers, _ = get(at_root, "/labs")
    assert (status, headers["Location"]) == (301, "/labs/")


def test_webassembly_has_the_type_that_streaming_needs(
    at_root: http.client.HTTPConnection,
) -> None:
    assert get(at_root, "/python.wasm")[1]["Content-Type"] == "application/wasm"


def test_pages_are_asked_about_again_and_hashed_files_never(
    at_root: http.client.HTTPConnection,
) -> None:
    assert get(at_root, "/")[1]["Cache-Control"] == "no-cache"
    assert "immutable" in get(at_root, "/main-7RJT2QKA.js")[1]["Cache-Control"]
    assert "immutable" in get(at_root, "/index.html?v=3f2c")[1]["Cache-Control"]


def test_what_has_not_changed_is_not_sent_again(at_root: http.client.HTTPConnection) -> None:
    tag = get(at_root, "/")[1]["ETag"]
    status, headers, body = get(at_root, "/", If_None_Match=tag)
    assert (status, body) == (304, b"")
    assert headers["ETag"] == tag


def test_a_compressed_twin_is_sent_to_those_who_accept_it(
    at_root: http.client.HTTPConnection,
) -> None:
    _, headers, body = get(at_root, "/big.json", Accept_Encoding="br, gzip")
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert gzip.decompress(body) == b"[1]"
    _, headers, body = get(at_root, "/big.json", Accept_Encoding="gzip;q=0")
    assert "Content-Encoding" not in headers
    assert body == b"[1]"


def test_a_compressed_file_asked_for_by_name_is_sent_as_it_is(
    at_root: http.client.HTTPConnection,
) -> None:
    _, headers, body = get(at_root, "/big.json.gz", Accept_Encoding="gzip")
    assert "Content-Encoding" not in headers
    assert gzip.decompress(body) == b"[1]"


def test_a_head_request_gets_no_body(at_root: http.client.HTTPConnection) -> None:
    status, headers, body = get(at_root, "/", method="HEAD")
    assert (status, headers["Content-Length"], body) == (200, "13", b"")


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/labs/../../secret.txt", "//secret.txt"]
)
def test_nothing_outside_the_folder_is_served(
    at_root: http.client.HTTPConnection, path: str
) -> None:
    status, _, body = get(at_root, path)
    assert (status, body) == (404, b"<h1>Nothing here</h1>")


def test_a_prefix_moves_the_whole_site(below_prefix: http.client.HTTPConnection) -> None:
    assert get(below_prefix, "/courses/queues/labs/")[0] == 200
    assert get(below_prefix, "/labs/")[0] == 404
    assert get(below_prefix, "/")[1]["Location"] == "/courses/queues/"


def test_serving_a_folder_without_a_site_says_how_to_build_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make site"):
        serve(tmp_path, port=0)
