"""Putting stand-ins in place: names that others hold, and nothing outside changes."""

from __future__ import annotations

import sched
import subprocess
import sys
import threading
import time

import pytest

from sandbox.sim import standins


def test_names_held_by_modules_imported_earlier_are_rebound(inside):
    """As module names, class attributes and default arguments."""

    def program():
        scheduler = sched.scheduler()
        fired = []
        scheduler.enter(5, 1, lambda: fired.append(round(scheduler.timefunc() - 1000)))
        scheduler.run()
        return fired

    assert inside(program) == [5]


def test_installing_twice_changes_nothing(world):
    before = time.sleep, threading.Lock, threading.Thread.start
    standins.install()
    assert (time.sleep, threading.Lock, threading.Thread.start) == before


def test_locks_of_a_library_imported_for_worlds_work_in_and_out_of_them(inside):
    with standins.importing():
        lock, rlock, local = threading.Lock(), threading.RLock(), threading.local()

    def program():
        with lock:
            thread = threading.Thread(target=lock.acquire, kwargs={"timeout": 3})
            thread.start()
            thread.join()
        with rlock, rlock:
            local.value = 1
        return round(time.monotonic() - 1000)

    with lock:
        assert not lock.acquire(blocking=False)
    assert inside(program) == 3
    with lock, rlock:
        assert lock.locked()
        local.value = 2
    assert not lock.locked()
    with pytest.raises(RuntimeError):
        lock.release()


OUTSIDE = """
import time, threading, socket, select, selectors, datetime, random, os, uuid, queue, logging
import asyncio, signal, pickle, sys
from concurrent.futures import ThreadPoolExecutor, Future, as_completed

def look():
    seen = []
    add = seen.append
    add(isinstance(time.time(), float) and time.time() > 1.7e9)
    add(type(datetime.datetime.now()) is datetime.datetime)
    add(pickle.loads(pickle.dumps(datetime.datetime(2020, 1, 1))).year)
    add([type(make()).__name__ for make in (threading.Lock, queue.SimpleQueue, threading.local)])
    add(isinstance(socket.socket, type) and issubclass(socket.socket, socket._socket.socket))
    with socket.socket() as made:
        add((type(made).__name__, isinstance(made, socket.socket), made.fileno() < 1000))
    with selectors.DefaultSelector() as selector:
        add((type(selector).__name__, isinstance(selector, selectors.DefaultSelector)))
    add(asyncio.run(asyncio.sleep(0, "slept")))
    with ThreadPoolExecutor(2) as pool:
        add(sorted(future.result() for future in as_completed(pool.submit(abs, -n)
            for n in range(3))))
    random.seed(4)
    add(random.random())
    add(len({uuid.uuid4(), uuid.uuid1()}))
    add(len(os.urandom(5)))
    add(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
    logging.getLogger("x").setLevel(5)
    add((logging.getLogger("x").level, logging.root.level, logging.getLogger("x").isEnabledFor(5)))
    add(os.getpid() > 1 and threading.current_thread() is threading.main_thread())
    add((threading.Thread().name, hash(threading.Thread()) != 1, len({Future(), Future()})))
    add(sys.getrecursionlimit())
    return seen

before = look()
from sandbox.sim.world import World
world = World(1)
world.start_function(lambda: time.sleep(5))
world.run()
after = look()
for n, (one, other) in enumerate(zip(before, after)):
    if n != 15:  # threads are numbered on
        assert one == other, (n, one, other)
print("same")
"""


@pytest.mark.needs_os
def test_everything_outside_is_after_a_world_as_it_was_before():
    done = subprocess.run([sys.executable, "-c", OUTSIDE], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("same\n", "")


REBOUND_IN_DICTS = """
import selectors, types, sys

class Client:
    SETTINGS = {"selector": selectors.DefaultSelector, "retries": 3}

module = types.ModuleType("library")
Client.__module__ = "library"
module.Client = Client
sys.modules["library"] = module
before = [selectors.DefaultSelector]

from sandbox.sim import standins
standins.install()
assert selectors.DefaultSelector is not before[0]
assert Client.SETTINGS == {"selector": selectors.DefaultSelector, "retries": 3}
"""


@pytest.mark.needs_os
def test_what_a_class_keeps_in_a_dict_is_rebound_too():
    subprocess.run([sys.executable, "-c", REBOUND_IN_DICTS], check=True, timeout=60)
