"""Python in the page, tried under Node: the same Pyodide, the same snapshot, the same JSPI."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.course.manifest import find_labs
from sandbox.course.model import Lab
from sandbox.site.node import PyodideProgramError, run_in_pyodide, run_program
from tests.site.bundle.test_locks import lines

pytestmark = pytest.mark.xdist_group("pyodide")

ASK = """
import json, sys
from sandbox.site import runtime
def ask(**request):
    streamed = []
    answer = json.loads(runtime.handle(json.dumps(request), streamed.append))
    print(json.dumps({**answer, "streamed": "".join(streamed)}))
"""


def ask(*requests: dict[str, Any]) -> list[dict[str, Any]]:
    """Send requests to one fresh worker's runtime and return its answers."""
    calls = "".join(f"ask(**json.loads({json.dumps(request)!r}))\n" for request in requests)
    return [json.loads(line) for line in run_in_pyodide(ASK + calls).splitlines()]


def begin(slug: str = "acks") -> dict[str, Any]:
    return {"request": "start_lesson", "slug": slug, "seed": 1}


def cell(n: int, source: str) -> dict[str, Any]:
    return {"request": "run_cell", "n": n, "source": source}


def test_a_program_prints_takes_arguments_and_may_await() -> None:
    output = run_in_pyodide(
        "import asyncio, sys\nawait asyncio.sleep(0)\nprint('é', sys.argv[1:], __name__)", "one"
    )
    assert output == "é ['one'] __main__\n"


def test_a_program_that_fails_says_how() -> None:
    with pytest.raises(PyodideProgramError, match="ZeroDivisionError"):
        run_in_pyodide("1 / 0")
    assert run_program("import sys; sys.exit(3)").exit == 3


def test_the_page_has_exactly_the_locked_libraries() -> None:
    locked = [*lines("page.txt"), *lines("stripped.txt")]
    wanted = {line.split("==")[0]: line.split("==")[1].split()[0] for line in locked}
    found = run_in_pyodide(
        "import importlib.metadata as m, json, sys\n"
        "print(json.dumps({name: m.version(name) for name in json.loads(sys.argv[1])}))",
        json.dumps(sorted(wanted)),
    )
    assert json.loads(found) == wanted


def test_what_a_first_cell_needs_is_in_the_snapshot_and_not_in_an_archive() -> None:
    needed = ["asyncio", "pika", "pytest", "pamqp.commands", "sandbox.site.runtime", "tomllib"]
    found = run_in_pyodide(
        "import sys\nprint([n for n in sys.argv[1:] if n not in sys.modules])", *needed
    )
    assert found == "[]\n"


def test_a_library_outside_the_snapshot_comes_from_its_archive() -> None:
    output = run_in_pyodide(
        "import sys\nassert 'pygments.formatters.latex' not in sys.modules\n"
        "import pygments.formatters.latex as latex\nprint(latex.__file__)"
    )
    assert output == "/lib/packages.zip/pygments/formatters/latex.pyc\n"


def test_two_stacks_hand_over_to_one_another() -> None:
    output = run_in_pyodide(
        """
from sandbox.sim.stacks import best_stacks
stacks = best_stacks()
main, said = stacks.current(), []
def other():
    said.append("other begins")
    stacks.switch(main)
    said.append("other goes on")
    return main
stack = stacks.create(other)
stacks.switch(stack)
said.append("main goes on")
stacks.switch(stack)
print(said)
"""
    )
    assert output == "['other begins', 'main goes on', 'other goes on']\n"


def test_hundreds_of_suspended_stacks_survive_collections() -> None:
    output = run_in_pyodide(
        """
from sandbox.sim.stacks import best_stacks
stacks = best_stacks()
main, kept, rubbish = stacks.current(), [], []
def body():
    for _ in range(200):
        cycle = []
        cycle.append(cycle)
    stacks.switch(main)
    return main
for _ in range(300):
    kept.append(stacks.create(body))
    stacks.switch(kept[-1])
for stack in kept:
    stacks.switch(stack)
print(len(kept))
"""
    )
    assert output == "300\n"


def test_cells_share_a_world_with_a_rabbitmq() -> None:
    _, first, second = ask(
        begin(),
        cell(
            1,
            "import pika\nchannel = pika.BlockingConnection().channel()\n"
            "channel.queue_declare('q')\nchannel.basic_publish('', 'q', b'x')\nprint('sent')",
        ),
        cell(2, "channel.basic_get('q')[2]"),
    )
    assert first["result"]["output"] == "sent\n" == first["streamed"]
    assert second["result"]["output"] == "b'x'\n"
    assert second["result"]["error"] is None
    assert second["result"]["seconds_virtual"] > 0


def test_cells_outside_the_course_find_every_broker() -> None:
    source = "import redis\nr = redis.Redis()\nprint(r.incr('n'), r.info()['redis_version'][0])"
    _, done = ask(begin("no-lab"), cell(1, source))
    assert done["result"]["error"] is None
    assert done["result"]["output"] == "1 7\n"


def test_a_new_lesson_forgets_everything() -> None:
    *_, last = ask(begin(), cell(1, "x = 1"), begin(), cell(1, "x"))
    assert last["result"]["error"]["summary"].startswith("NameError")


def test_a_broken_cell_shows_the_learners_line_and_a_sentence() -> None:
    _, wrong, typo = ask(begin(), cell(1, "a = 1\nchanel.basic_get('q')"), cell(2, "x = = 1"))
    error = wrong["result"]["error"]
    assert error["summary"] == "NameError: name 'chanel' is not defined"
    assert error["lines"] == [{"file": "cell 1", "line": 2, "source": "chanel.basic_get('q')"}]
    assert error["explanation"]
    assert typo["result"]["error"]["summary"] == "SyntaxError: invalid syntax"
    assert typo["result"]["error"]["lines"][0]["line"] == 1


def test_a_cell_that_waits_for_nothing_says_so_and_the_next_one_runs() -> None:
    _, stuck, after = ask(
        begin(), cell(1, "import queue\nqueue.Queue().get()"), cell(2, "'still here'")
    )
    assert stuck["result"]["ending"]["kind"] == "deadlock"
    assert after["result"]["output"] == "'still here'\n"


def test_a_file_runs_as_a_program_in_its_own_world() -> None:
    source = "import time\nprint('go', __name__)\ntime.sleep(60)\n1 / 0\n"
    (done,) = ask(
        {"request": "run_file", "name": "no_loss.py", "source": source, "slug": "acks", "seed": 1}
    )
    result = done["result"]
    assert result["output"].startswith("go __main__\n")
    assert result["seconds_virtual"] == pytest.approx(60, abs=0.01)
    assert result["error"]["lines"] == [{"file": "no_loss.py", "line": 4, "source": "1 / 0"}]


def labs() -> list[Lab]:
    return find_labs()


@pytest.mark.parametrize("lab", labs(), ids=lambda lab: lab.slug)
def test_every_solution_passes_and_no_starter_does(lab: Lab) -> None:
    def check(exercise: str, source: str) -> dict[str, Any]:
        return {"request": "check", "slug": lab.slug, "exercise": exercise, "source": source}

    ids = [exercise.id for exercise in lab.exercises]
    right = ask(*(check(each, lab.solution(each).read_text("utf-8")) for each in ids))
    assert {answer["result"]["exercises"][0]["outcome"] for answer in right} == {"pass"}, right
    wrong = ask(*(check(each, lab.starter(each).read_text("utf-8")) for each in ids))
    assert {answer["result"]["exercises"][0]["outcome"] for answer in wrong} == {"fail"}, wrong


def test_a_request_that_breaks_the_runtime_is_answered() -> None:
    (answer,) = ask({"request": "check", "slug": "no-such-lab", "exercise": "x", "source": ""})
    assert "no-such-lab" in answer["failed"]["message"]


def test_all_of_ours_that_is_in_the_page_can_be_imported_there() -> None:
    """Most of it is in the snapshot; what only some lessons want is imported when they do."""
    left_out, later = run_in_pyodide(
        """
import importlib, json, pkgutil, sandbox, sys
left_out, later, before = [], [], set(sys.modules)
for module in pkgutil.walk_packages(sandbox.__path__, "sandbox."):
    try:
        importlib.import_module(module.name)
    except ImportError:
        left_out.append(module.name)
    else:
        later += [module.name] if module.name not in before else []
print(left_out)
print(json.dumps(later))
"""
    ).splitlines()
    assert left_out == "['sandbox.sim.stacks_greenlet']"
    found = {name for name in json.loads(later) if not name.startswith("sandbox.stack.simulated.")}
    assert {name.split(".")[1] for name in found} == {"brokers"}
    assert {name.split(".")[2] for name in found} == {"kafka", "mqtt", "redis"}
