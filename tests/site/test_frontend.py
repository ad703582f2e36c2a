"""The parts of the front end that need no page, run by the Node that builds it."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.site.bundle.nodejs import find_node
from sandbox.site.bundle.npm import install_npm_packages, web_folder
from sandbox.site.frontend import build_frontend
from sandbox.site.pages import obfuscate


def run_module(program: str) -> Any:
    """Run a module beside the sources and return the JSON it prints."""
    done = find_node().run("--input-type=module", "--eval", program, cwd=web_folder() / "src")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def diff(pairs: list[tuple[str, str]]) -> list[list[dict[str, str]]]:
    lines: list[list[dict[str, str]]] = run_module(
        "import { diffLines } from './diff.ts';"
        f"console.log(JSON.stringify({json.dumps(pairs)}.map(([a, b]) => diffLines(a, b))))"
    )
    return lines


texts = st.lists(st.sampled_from(["one", "two", "three", ""]), max_size=6).map("\n".join)


@settings(max_examples=5, deadline=None)
@given(st.lists(st.tuples(texts, texts), min_size=20, max_size=60))
def test_a_comparison_holds_both_texts_completely(pairs: list[tuple[str, str]]) -> None:
    for (before, after), lines in zip(pairs, diff(pairs), strict=True):
        mine = [line["text"] for line in lines if line["kind"] != "added"]
        theirs = [line["text"] for line in lines if line["kind"] != "removed"]
        assert ("\n".join(mine), "\n".join(theirs)) == (before, after)


def test_a_comparison_keeps_what_is_common() -> None:
    (lines,) = diff([("a\nb\nc", "a\nx\nc")])
    assert [(line["kind"], line["text"]) for line in lines] == [
        ("same", "a"),
        ("removed", "b"),
        ("added", "x"),
        ("same", "c"),
    ]


def test_the_page_can_read_a_solution_that_the_build_hid() -> None:
    answer = 'print("¡Hola, 世界!")\n' * 3
    hidden = json.dumps(obfuscate(answer, "acks/no_loss"))
    program = (
        "import { reveal } from './solution.ts';"
        f"console.log(JSON.stringify(reveal({hidden}, 'acks/no_loss')))"
    )
    assert run_module(program) == answer


def test_the_sources_hold_to_their_types() -> None:
    install_npm_packages(print)
    web = web_folder()
    done = find_node().run("node_modules/typescript/bin/tsc", "--project", ".", cwd=web)
    assert done.returncode == 0, done.stdout


def test_a_second_build_of_the_same_sources_does_nothing() -> None:
    first = build_frontend(lambda _: None)
    said: list[str] = []
    assert build_frontend(said.append) == first
    assert said == []
    assert (first.folder / first.script).is_file()


def test_the_first_script_is_small_and_the_editor_comes_after_it() -> None:
    built = build_frontend(lambda _: None)
    script = (built.folder / built.script).read_text(encoding="utf-8")
    assert len(script) < 60_000
    assert "import(" in script
