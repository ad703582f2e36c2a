"""Steps are done once, completely or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.site.bundle import cache


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SANDBOX_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def key(number: int) -> str:
    return cache.digest(str(number))


def write_one(folder: Path) -> None:
    (folder / "one.txt").write_text("1")


def test_a_step_is_done_once_and_says_so_once() -> None:
    said: list[str] = []
    first = cache.step("thing", key(1), write_one, said.append, "Making a thing")
    again = cache.step("thing", key(1), write_one, said.append, "Making a thing")
    assert first == again
    assert (again / "one.txt").read_text() == "1"
    assert said == ["Making a thing"]


def test_other_inputs_do_the_step_again() -> None:
    said: list[str] = []
    first = cache.step("thing", key(1), write_one, said.append, "Making")
    other = cache.step("thing", key(2), write_one, said.append, "Making")
    assert first != other
    assert len(said) == 2


def test_a_step_that_breaks_leaves_nothing_and_is_tried_again(own_cache: Path) -> None:
    def breaks(folder: Path) -> None:
        write_one(folder)
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        cache.step("thing", key(1), breaks, lambda _: None, "Making")
    assert [path for path in (own_cache / "bundle").iterdir() if path.is_dir()] == []
    made = cache.step("thing", key(1), write_one, lambda _: None, "Making")
    assert (made / "one.txt").exists()


def test_only_the_last_few_results_of_a_step_are_kept(own_cache: Path) -> None:
    for number in range(cache.KEPT + 3):
        cache.step("thing", key(number), write_one, lambda _: None, "Making")
        cache.step("thing-else", key(0), write_one, lambda _: None, "Making")
    kept = [path.name for path in (own_cache / "bundle").iterdir() if path.is_dir()]
    assert len([name for name in kept if not name.startswith("thing-else")]) == cache.KEPT
    assert len([name for name in kept if name.startswith("thing-else")]) == 1


def test_a_digest_depends_on_names_and_contents_and_not_on_places(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_text("text")
    assert cache.digest(tmp_path / "a") == cache.digest(tmp_path / "b")
    before = cache.digest(tmp_path / "a")
    (tmp_path / "a" / "file").rename(tmp_path / "a" / "other")
    assert cache.digest(tmp_path / "a") != before


def test_a_digest_tells_where_one_input_ends() -> None:
    assert cache.digest("ab", "c") != cache.digest("a", "bc")
