"""Every broker and its client libraries in the page's Python: they work as in a terminal.

Where the standard library's own steps are the same in both Pythons (no asyncio), the traces are
equal to the byte.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

import pytest

from sandbox.site.node import run_in_pyodide
from sandbox.stack.simulated import SimulatedStack

pytestmark = pytest.mark.xdist_group("pyodide")

PROGRAMS = Path(__file__).parents[2] / "stack" / "simulated" / "programs"

KAFKA = ("kafka", ("kafka_admin.py", "kafka_consumer.py", "kafka_producer.py"))
REDIS = ("redis", ("redis_threads.py",))
PAHO = ("mqtt", ("paho_both.py",))
REDIS_TASKS = ("redis", ("redis_tasks.py",))
AIOKAFKA = ("kafka", ("kafka_admin.py", "aiokafka_both.py"))
AIOMQTT = ("mqtt", ("aiomqtt_both.py",))
AIO_PIKA = ("rabbitmq,redis", ("kombu_both.py", "aio_pika_both.py"))
CELERY = ("rabbitmq,redis", ("celery_worker.py", "celery_client.py"))
SCENARIOS = (KAFKA, REDIS, PAHO, REDIS_TASKS, AIOKAFKA, AIOMQTT, AIO_PIKA, CELERY)

PLAY = """
def play(folder, brokers, names):
    stack = SimulatedStack(seed=1, brokers=brokers.split(","))
    for name in names:
        stack.start_script(folder / name)
        stack.world.run(until_s=stack.now_s + 1, to_idle=False)
    stack.world.run(until_s=100, to_idle=False)
    outputs = [process.output + process.traceback for process in stack.processes]
    lines = "\\n".join(stack.world.trace.lines())
    stack.close()
    return [outputs, hashlib.sha256(lines.encode()).hexdigest()]
"""

IN_PYODIDE = """
import hashlib, json, pathlib, sys
from sandbox.stack.simulated import SimulatedStack
before = len(sys.modules)
assert not {"kafka", "redis", "fakeredis", "paho", "celery"} & sys.modules.keys()
files, scenarios = json.loads(sys.argv[1])
folder = pathlib.Path("/tmp/programs")
folder.mkdir()
for name, text in files.items():
    (folder / name).write_text(text)
"""


@cache
def in_the_page() -> dict[str, list[object]]:
    """What each scenario's programs print in the page's Python, and its trace's hash."""
    files = {file.name: file.read_text("utf-8") for file in PROGRAMS.glob("*.py")}
    program = IN_PYODIDE + PLAY + "print(json.dumps([play(folder, *each) for each in scenarios]))\n"
    said = run_in_pyodide(program, json.dumps([files, SCENARIOS]))
    results = json.loads(said.splitlines()[-1])
    return dict(zip((names[-1] for _, names in SCENARIOS), results, strict=True))


def in_a_terminal(brokers: str, names: tuple[str, ...]) -> list[object]:
    """The same in this Python."""
    namespace = {"SimulatedStack": SimulatedStack, "hashlib": hashlib}
    exec(PLAY, namespace)
    return namespace["play"](PROGRAMS, brokers, names)  # type: ignore[operator, no-any-return]


@pytest.mark.parametrize("scenario", [KAFKA, REDIS, PAHO], ids=lambda each: each[1][-1])
def test_a_run_is_the_same_to_the_byte(scenario: tuple[str, tuple[str, ...]]) -> None:
    assert in_the_page()[scenario[1][-1]] == in_a_terminal(*scenario)


@pytest.mark.parametrize(
    "scenario", [REDIS_TASKS, AIOKAFKA, AIOMQTT, AIO_PIKA], ids=lambda each: each[1][-1]
)
def test_tasks_do_the_same(scenario: tuple[str, tuple[str, ...]]) -> None:
    assert in_the_page()[scenario[1][-1]][0] == in_a_terminal(*scenario)[0]


def test_celery_works_with_a_worker_retries_and_a_countdown() -> None:
    (_, client), _ = in_the_page()["celery_client.py"]  # type: ignore[misc]
    assert client == "PENDING 8 SUCCESS\n[7, 2]\n3 30\n13\n[0, 2, 4, 6]\n"  # type: ignore[has-type]


def test_a_schema_of_kafkas_is_found_without_reading_the_archive_again() -> None:
    output = run_in_pyodide(
        "import zipfile\n"
        "opened = []\n"
        "init = zipfile.ZipFile.__init__\n"
        "def counted(self, file, *args, **kwargs):\n"
        "    opened.append(str(file))\n"
        "    init(self, file, *args, **kwargs)\n"
        "zipfile.ZipFile.__init__ = counted\n"
        "import kafka\n"
        "print(opened)\n"
    )
    assert output == "['/lib/kafka.zip']\n"


def test_the_archives_of_other_lessons_are_not_needed_for_a_first_cell(tmp_path: Path) -> None:
    output = run_in_pyodide(
        "import os, sys\n"
        "for name in ('kafka', 'redis', 'clients'):\n"
        "    os.remove(f'/lib/{name}.zip')\n"
        "from sandbox.stack.simulated import SimulatedStack\n"
        "import pika, pytest\n"
        "try:\n    import no_such_module\nexcept ModuleNotFoundError as error:\n    print(error)\n"
        "SimulatedStack(seed=1).close()\n"
    )
    assert output == "No module named 'no_such_module'\n"
