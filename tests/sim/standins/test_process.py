"""The inside of a process: output, input, exit, modules, logging."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

from sandbox.sim.world import World


def printed(process):
    return [(stream, text) for _, stream, text in process.printed]


def test_whole_lines_are_printed_at_once_and_half_lines_before_a_wait(world, script):
    process = script(
        """
import sys, time
print("one", end=" ")
print("two")
print("three", end="")
time.sleep(1)
print(" four", end="", flush=True)
print(" five", file=sys.stderr)
sys.stdout.write("a\\nb")
"""
    )
    world.run()
    assert printed(process) == [
        (1, "one two\n"),
        (1, "three"),
        (1, " four"),
        (2, " five\n"),
        (1, "a\n"),
        (1, "b"),
    ]
    assert [event.fields["text"] for event in world.trace.of_kind("output")] == [
        text for _, text in printed(process)
    ]


def test_standard_output_can_be_used_as_programs_use_it(run_script):
    source = """
import sys
sys.stdout.reconfigure(encoding="utf-8", line_buffering=True)
sys.stdout.buffer.write(b"bytes\\n")
sys.stdout.writelines(["x\\n", "y\\n"])
print(sys.stdout.isatty(), sys.stdout.encoding, sys.stdout.name, sys.stdin.read() == "")
print("\\N{SNOWMAN}")
try:
    sys.stdout.write(b"no")
except TypeError as error:
    print(error)
"""
    assert run_script(source) == (
        "bytes\nx\ny\nFalse utf-8 <stdout> True\n\N{SNOWMAN}\n"
        "write() argument must be str, not bytes\n"
    )


def test_input_says_that_there_is_no_keyboard(world, script):
    process = script("name = input('Your name? ')\n")
    world.run()
    assert process.exit == 1
    assert process.output == "Your name? "
    assert process.reports[0]["type"] == "EOFError"
    assert process.reports[0]["message"].startswith("input() has nobody to ask")


@pytest.mark.parametrize(
    ("ending", "status", "output"),
    [
        ("pass", 0, ""),
        ("sys.exit()", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("sys.exit(-1)", 255, ""),
        ("sys.exit(256 + 4)", 4, ""),
        ("sys.exit('that went wrong')", 1, "that went wrong\n"),
        ("exit(5)", 5, ""),
        ("raise SystemExit", 0, ""),
        ("os._exit(6)", 6, ""),
        ("1 / 0", 1, ""),
        ("os.abort()", -6, ""),
    ],
)
def test_a_program_ends_with_the_status_that_python_gives(world, script, ending, status, output):
    process = script(f"import os, sys\n{ending}\n")
    assert world.run().kind == "finished"
    assert (process.exit, process.output) == (status, output)


def test_an_exception_is_reported_with_the_learners_own_lines(world, script):
    process = script(
        "import json\n\n\ndef parse(text):\n    return json.loads(text)\n\n\nparse('{')\n"
    )
    world.run()
    (report,) = process.reports
    assert report["type"] == "json.decoder.JSONDecodeError"
    assert [(line["file"], line["line"], line["code"]) for line in report["own"]] == [
        ("main.py", 8, "parse('{')"),
        ("main.py", 5, "return json.loads(text)"),
    ]
    assert "sandbox" not in report["traceback"]
    assert report["traceback"].splitlines()[1].endswith('main.py", line 8, in <module>')


def test_a_syntax_error_is_the_programs_error(world, script):
    process = script("print('fine')\nprint('oops'\n")
    world.run()
    assert (process.exit, process.output) == (1, "")
    assert process.reports[0]["type"] == "SyntaxError"
    assert process.reports[0]["own"][-1]["line"] == 2


def test_an_exception_that_cannot_be_shown_is_reported_all_the_same(world, script):
    process = script(
        "class Rude(Exception):\n    def __str__(self): raise ValueError\nraise Rude()\n"
    )
    world.run()
    assert process.exit == 1
    assert "cannot be shown" in process.reports[0]["message"]


def test_deep_recursion_is_a_recursion_error(world, script):
    process = script("import time\ndef f(n):\n    time.monotonic()\n    f(n + 1)\nf(0)\n")
    other = script("import time\nfor n in range(5): time.sleep(1)\nprint('fine')\n", "other.py")
    assert world.run(real_s=20).kind == "finished"
    assert process.exit == 1
    assert process.reports[0]["type"] == "RecursionError"
    assert 0 < len(process.reports[0]["own"]) <= 20
    assert other.output == "fine\n"


def test_recursion_that_prints_and_sleeps_until_the_stack_is_full_ends_only_itself(world, script):
    process = script(
        "import time\ndef f(n):\n    time.sleep(0.001)\n    print(n)\n    f(n + 1)\nf(0)\n"
    )
    other = script("import time\nfor n in range(50): time.sleep(0.1)\nprint('fine')\n", "other.py")
    assert world.run(real_s=20).kind == "finished"
    assert process.reports[0]["type"] == "RecursionError"
    assert other.output == "fine\n"


def test_functions_registered_at_exit_run_last_first(run_script):
    source = (
        "import atexit\natexit.register(print, 'one')\n"
        "two = atexit.register(print, 'two')\natexit.register(lambda: 1/0)\n"
        "def never(): print('never')\n"
        "atexit.register(never)\natexit.unregister(never)\nprint('end')\n"
    )
    assert run_script(source) == "end\ntwo\none\n"


def test_a_process_is_main_and_has_arguments_and_a_pid(run_script, tmp_path):
    source = "import os, sys\nprint(__name__, sys.argv[1:], os.getpid())\n"
    source += "import __main__\nprint(__main__.__file__ == __file__ == sys.argv[0])\n"
    before = list(sys.argv), sys.modules["__main__"]
    assert run_script(source, argv=["a", "b"]) == "__main__ ['a', 'b'] 100\nTrue\n"
    assert (sys.argv, sys.modules["__main__"]) == before


def test_processes_import_a_helper_each_for_themselves(world, tmp_path):
    (tmp_path / "sim_helper.py").write_text("print('importing')\nvalues = []\n")
    (tmp_path / "sim_package").mkdir()
    (tmp_path / "sim_package" / "__init__.py").write_text("")
    (tmp_path / "sim_package" / "inner.py").write_text("values = []\n")
    source = (
        "import time, sim_helper\nfrom sim_package import inner\n"
        "for n in range(3):\n    sim_helper.values.append(n)\n    inner.values.append(n)\n"
        "    time.sleep(1)\n"
        "import sim_helper as again\nprint(again.values, inner.values)\n"
    )
    path = list(sys.path)
    processes = []
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(source)
        processes.append(world.start_script(tmp_path / name))
    world.run()
    for process in processes:
        assert process.reports == []
        assert process.output == "importing\n[0, 1, 2] [0, 1, 2]\n"
        assert str(tmp_path / "sim_helper.py") in process.own_files
    assert not [name for name in sys.modules if name.startswith(("sim_helper", "sim_package"))]
    assert sys.path == path


def test_an_error_in_a_helper_is_the_learners_own_line(world, tmp_path):
    (tmp_path / "sim_other.py").write_text("def divide(n):\n    return n / 0\n")
    (tmp_path / "main.py").write_text("import sim_other\nsim_other.divide(1)\n")
    process = world.start_script(tmp_path / "main.py")
    world.run()
    assert [(line["file"], line["line"]) for line in process.reports[0]["own"]] == [
        ("main.py", 2),
        ("sim_other.py", 2),
    ]


def test_a_helper_is_not_mistaken_for_a_module_of_the_same_name_outside(world, tmp_path):
    import types

    sys.modules["sim_namesake"] = outside = types.ModuleType("sim_namesake")
    try:
        (tmp_path / "sim_namesake.py").write_text("whose = 'the learner'\n")
        (tmp_path / "main.py").write_text("import sim_namesake\nprint(sim_namesake.whose)\n")
        process = world.start_script(tmp_path / "main.py")
        world.run()
        assert process.output == "the learner\n"
        assert sys.modules["sim_namesake"] is outside
    finally:
        del sys.modules["sim_namesake"]


def test_a_missing_module_is_the_programs_error(world, script):
    process = script("import sim_no_such_module\n")
    world.run()
    assert process.reports[0]["type"] == "ModuleNotFoundError"


def test_a_library_that_lies_below_the_learners_folder_is_nobodys_own(world, tmp_path):
    library = tmp_path / ".venv" / "site-packages"
    library.mkdir(parents=True)
    (library / "sim_library.py").write_text("value = 1\n")
    (tmp_path / "main.py").write_text(
        f"import sys\nsys.path.append({str(library)!r})\nimport sim_library\n"
    )
    process = world.start_script(tmp_path / "main.py")
    world.run()
    try:
        assert process.reports == []
        assert process.own_files == {str(tmp_path / "main.py")}
        assert "sim_library" in sys.modules
    finally:
        sys.modules.pop("sim_library", None)
        sys.path.remove(str(library))


LOGGING = """
import logging, time
logging.basicConfig(level=logging.{level}, format="%(asctime)s {name} %(levelname)s %(message)s")
log = logging.getLogger("shared.name")
time.sleep(1)
log.debug("detail")
time.sleep(1)
log.warning("careful")
print(log.isEnabledFor(logging.DEBUG), len(logging.root.handlers))
"""


def test_each_process_configures_logging_for_itself(world, script):
    before = logging.root.handlers, logging.root.level
    first = script(LOGGING.format(level="DEBUG", name="a"), "a.py")
    second = script(LOGGING.format(level="WARNING", name="b"), "b.py")
    third = script("import logging\nlogging.warning('plain')\nlogging.info('no')\n", "c.py")
    world.run()
    assert first.reports == second.reports == third.reports == []
    assert first.output.splitlines() == [
        "2026-01-05 09:00:01,000 a DEBUG detail",
        "2026-01-05 09:00:02,000 a WARNING careful",
        "True 1",
    ]
    assert second.output.splitlines() == ["2026-01-05 09:00:02,000 b WARNING careful", "False 1"]
    assert third.output == "WARNING:root:plain\n"
    assert (logging.root.handlers, logging.root.level) == before


def test_loggers_can_be_configured_in_every_way(run_script):
    source = """
import logging, sys
log = logging.getLogger("sim.test.configured")
handler = logging.StreamHandler(sys.stdout)
log.addHandler(handler)
log.setLevel("INFO")
log.propagate = False
log.info("one")
log.disabled = True
log.info("never")
log.disabled = False
logging.disable(logging.INFO)
log.info("never")
log.error("two")
logging.disable(logging.NOTSET)
log.addFilter(lambda record: "no" not in record.getMessage())
log.info("no")
log.info("three")
log.removeHandler(handler)
child = log.getChild("child")
child.handlers = [handler]
child.info("four")
log.setLevel(logging.ERROR)
child.info("never")
print(log.handlers, log.hasHandlers(), child.getEffectiveLevel())
"""
    assert run_script(source) == "one\ntwo\nthree\nfour\n[] False 40\n"


def test_what_a_library_set_while_it_was_imported_holds_in_every_process(run_script):
    library = logging.getLogger("sim.test.library")
    library.addHandler(logging.NullHandler())
    library.setLevel(logging.ERROR)
    source = """
import logging
library = logging.getLogger("sim.test.library")
print(library.handlers, library.level)
library.setLevel(logging.DEBUG)
library.addHandler(logging.StreamHandler())
"""
    assert run_script(source) == "[<NullHandler (NOTSET)>] 40\n"
    assert library.level == logging.ERROR
    assert len(library.handlers) == 1


def test_outside_a_world_logging_is_as_it_was(world, script, caplog):
    script("import logging\nlogging.basicConfig(level=logging.DEBUG)\nlogging.disable(50)\n")
    world.run()
    log = logging.getLogger("sim.test.outside")
    with caplog.at_level(logging.INFO):
        log.info("heard")
        log.debug("unheard")
    assert caplog.messages == ["heard"]
    assert logging.root.manager.disable == 0


@pytest.mark.needs_os
def test_starting_another_program_is_refused_in_a_sentence(inside):
    import multiprocessing
    import os
    import subprocess

    def program():
        with pytest.raises(PermissionError, match=r"sandbox\.start"):
            subprocess.run(["true"], check=False)
        with pytest.raises(PermissionError, match=r"sandbox\.start"):
            os.system("true")
        with pytest.raises(PermissionError, match=r"sandbox\.start"):
            multiprocessing.get_context("spawn").Process(target=print).start()
        if hasattr(os, "fork"):
            with pytest.raises(PermissionError, match=r"sandbox\.start"):
                os.fork()
            with pytest.raises(PermissionError, match=r"sandbox\.start"):
                os.execv("/bin/true", ["true"])

    inside(program)
    assert subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True).stdout == b"1\n"


@pytest.mark.needs_os
def test_an_interpreter_that_ran_worlds_exits_quietly(tmp_path):
    import subprocess

    (tmp_path / "program.py").write_text(
        """
import asyncio, atexit, logging, threading, time, socket
from concurrent.futures import ThreadPoolExecutor
class Loud:
    def __del__(self): print("deleted")
    def __enter__(self): return self
    def __exit__(self, *exc): print("left")
loud = Loud()
atexit.register(print, "at exit")
logging.basicConfig()
pool = ThreadPoolExecutor(2)
pool.submit(time.sleep, 1000)
async def main():
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(1000))
            await asyncio.start_server(lambda *_: None, "", 80)
    finally:
        print("finally")
threading.Thread(target=asyncio.run, args=(main(),), daemon=True).start()
with Loud():
    time.sleep(500)
"""
    )
    (tmp_path / "outer.py").write_text(
        "from pathlib import Path\nfrom sandbox.sim.world import World\n"
        "import gc\n"
        "for n in range(3):\n"
        "    world = World(1)\n"
        f"    process = world.start_script(Path({str(tmp_path / 'program.py')!r}))\n"
        "    print(world.run(until_s=10).kind, process.reports)\n"
        "    world.close()\n"
        "    del process, world\n"
        "    gc.collect()\n"
        "print('end')\n"
    )
    done = subprocess.run(
        [sys.executable, str(tmp_path / "outer.py")],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).parents[3]), "PATH": ""},
    )
    assert (done.stdout, done.stderr, done.returncode) == ("until []\n" * 3 + "end\n", "", 0)


def test_a_function_is_the_main_of_a_process_with_arguments_and_a_result():
    world = World(1)
    process = world.start_function(lambda a, b: {"sum": a + b}, 1, 2, name="adder")
    world.run()
    assert (process.name, process.exit, process.result) == ("adder", 0, {"sum": 3})


def test_a_function_of_a_file_is_started_by_name(world, tmp_path):
    source = (
        "GREETING = 'hello'\ndef greet(name):\n    print(GREETING, name)\n    return __name__\n"
    )
    process = world.start_source(source, str(tmp_path / "greetings.py"), "greet", ["Ada"])
    missing = world.start_source(source, str(tmp_path / "greetings.py"), "gret")
    world.run()
    assert (process.name, process.output, process.result) == ("greet", "hello Ada\n", "greetings")
    assert process.own_files == {str(tmp_path / "greetings.py")}
    assert missing.reports[0]["message"] == "greetings.py has no function called 'gret'"
