"""The broker in the page's Python: nothing native, and scripts run all the same."""

from __future__ import annotations

import pytest

from sandbox.site.node import run_in_pyodide

pytestmark = [pytest.mark.needs_os, pytest.mark.xdist_group("pyodide")]

PROGRAM = """
from random import Random
from redis.lock import Lock
from sandbox.brokers.redis import Broker

broker = Broker(random=Random(1))
do = lambda *words: broker.execute(*words, now_ns=0)
print(do("EVAL", "return {ARGV[1], redis.call('incr', 'n'), cjson.encode({1, 2})}", 0, "x"))
do("SET", "lock", "mine")
print(do("EVAL", Lock.LUA_RELEASE_SCRIPT, 1, "lock", "mine"), do("EXISTS", "lock"))
print(do("XADD", "s", "1-1", "f", "v"), do("XLEN", "s"))
"""


def test_scripts_locks_and_streams_work_in_a_browser() -> None:
    assert run_in_pyodide(PROGRAM) == "[b'x', 1, b'[1,2]']\n1 0\nb'1-1' 1\n"
