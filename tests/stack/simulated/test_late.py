"""A broker that is made when somebody connects is the same as one that was there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sandbox.stack.simulated import SimulatedStack

PROGRAM = """
import redis
r = redis.Redis(decode_responses=True)
r.set("stock", 3)
print(r.incr("stock"), r.info("server")["redis_version"] > "7")
"""


def play(file: Path, **brokers: tuple[str, ...]) -> tuple[str, list[object]]:
    stack = SimulatedStack(seed=3, **({"brokers": ()} | brokers))  # type: ignore[arg-type]
    process = stack.start_script(file)
    stack.run_until_idle(timeout_s=10)
    return process.output, list(stack.world.trace.events)


def test_a_run_is_the_same_whether_its_broker_was_there_or_came_late(tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text(PROGRAM, encoding="utf-8")
    early = play(file, brokers=("redis",))
    assert early[0] == "4 True\n"
    assert play(file, late=("redis",)) == early
    assert play(file, late=("redis", "kafka", "rabbitmq")) == early


def test_a_broker_that_nobody_wants_can_be_stopped_and_started_and_does_nothing(
    tmp_path: Path,
) -> None:
    file = tmp_path / "program.py"
    file.write_text("import time\ntime.sleep(5)\nprint('done')\n", encoding="utf-8")
    stack = SimulatedStack(seed=1, brokers=(), late=("kafka",))
    process = stack.start_script(file)
    stack.sleep(1)
    service = stack.world.kernel.services["kafka"]
    service.restart()
    service.restart(crash=True)
    assert stack.run_until_idle(timeout_s=10) < 5.1
    assert process.output == "done\n"


NAMESAKES = f"""
import sys
from pathlib import Path
from sandbox.stack.simulated import SimulatedStack

assert "fakeredis" not in sys.modules
folder = Path(sys.argv[1])
(folder / "fakeredis.py").write_text("raise RuntimeError('the wrong one')")
(folder / "program.py").write_text({PROGRAM!r})
stack = SimulatedStack(seed=1, brokers=(), late=("redis",))
process = stack.start_script(folder / "program.py")
stack.run_until_idle(timeout_s=10)
assert process.output == "4 True\\n", process.output + process.traceback
"""


def test_files_of_a_programs_folder_are_no_part_of_a_broker(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", NAMESAKES, str(tmp_path)], check=True, timeout=120)
