"""The files that a browser fetches."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from sandbox.site.bundle.build import build_bundle, build_runtime
from sandbox.site.bundle.publish import copy_changed

pytestmark = pytest.mark.xdist_group("pyodide")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundle")
    build_bundle(out)
    return out


def test_every_file_is_there_with_the_size_the_worker_was_told(bundle: Path) -> None:
    files = json.loads((bundle / "bundle.json").read_text())
    for file in (files["loader"], files["wasm"], files["snapshot"], *files["archives"]):
        assert (bundle / file["name"]).stat().st_size == file["packed"]
        assert file["name"] in (bundle / "worker.js").read_text()


def test_the_snapshot_comes_out_of_its_compression_whole(bundle: Path) -> None:
    file = json.loads((bundle / "bundle.json").read_text())["snapshot"]
    unpacked = gzip.decompress((bundle / file["name"]).read_bytes())
    assert len(unpacked) == file["bytes"]
    assert unpacked == (build_runtime() / "snapshot.bin").read_bytes()


def test_nothing_in_the_bundle_says_where_it_was_built(bundle: Path) -> None:
    here = str(Path(__file__).parents[3]).encode()
    for path in bundle.iterdir():
        data = path.read_bytes()
        assert here not in data, path.name
        if data[:2] == b"\x1f\x8b":
            assert here not in gzip.decompress(data), path.name


def test_a_second_build_touches_nothing(bundle: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in bundle.iterdir()}
    said: list[str] = []
    build_bundle(bundle, said.append)
    assert said == []
    assert {path.name: path.stat().st_mtime_ns for path in bundle.iterdir()} == before


def test_files_of_an_older_bundle_are_removed(tmp_path: Path) -> None:
    new, out = tmp_path / "new", tmp_path / "out"
    new.mkdir()
    out.mkdir()
    (new / "bundle.json").write_text("{}")
    (new / "snapshot-2.bin").write_text("2")
    (out / "snapshot-1.bin").write_text("1")
    copy_changed(new, out)
    assert sorted(path.name for path in out.iterdir()) == ["bundle.json", "snapshot-2.bin"]
