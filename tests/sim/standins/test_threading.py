"""`threading`, `queue` and thread pools of a world."""

from __future__ import annotations

import concurrent.futures
import os
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest


def test_threads_run_side_by_side_in_virtual_time(inside):
    def program():
        done = []

        def work(n):
            time.sleep(n)
            done.append((n, round(time.monotonic() - began)))

        began = time.monotonic()
        threads = [threading.Thread(target=work, args=(n,)) for n in (3, 1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return done

    assert inside(program) == [(1, 1), (2, 2), (3, 3)]


def test_a_thread_knows_itself(inside):
    def program():
        seen = {}

        def work():
            me = threading.current_thread()
            seen["named"] = me.name
            seen["alive"] = me.is_alive()
            seen["ident"] = me.ident == threading.get_ident() == threading.get_native_id()
            seen["main"] = threading.main_thread() is main
            seen["listed"] = sorted(t.name for t in threading.enumerate())
            seen["count"] = threading.active_count()

        main = threading.current_thread()
        thread = threading.Thread(target=work)
        assert not thread.is_alive()
        thread.start()
        thread.join()
        assert not thread.is_alive()
        assert main is threading.main_thread()
        assert main.name == "MainThread"
        return seen

    assert inside(program) == {
        "named": "Thread-1 (work)",
        "alive": True,
        "ident": True,
        "main": True,
        "listed": ["MainThread", "Thread-1 (work)"],
        "count": 2,
    }


def test_join_gives_up_after_its_time_out(inside):
    def program():
        thread = threading.Thread(target=time.sleep, args=(10,))
        thread.start()
        before = time.monotonic()
        thread.join(3)
        assert thread.is_alive()
        waited = time.monotonic() - before
        thread.join()
        return waited, time.monotonic() - before

    assert inside(program) == (pytest.approx(3, abs=0.001), pytest.approx(10, abs=0.001))


def test_a_thread_can_wait_for_the_main_thread(run_script):
    source = """
import threading, time
def follow():
    threading.main_thread().join()
    print("main is over", threading.main_thread().is_alive())
threading.Thread(target=follow).start()
time.sleep(2)
print("end of main", threading.main_thread().is_alive())
"""
    assert run_script(source) == "end of main True\nmain is over False\n"


def test_a_thread_cannot_be_started_twice_or_joined_too_early_or_by_itself(inside):
    def program():
        thread = threading.Thread(target=lambda: None)
        with pytest.raises(RuntimeError, match="before it is started"):
            thread.join()
        thread.start()
        with pytest.raises(RuntimeError, match="only be started once"):
            thread.start()
        with pytest.raises(RuntimeError, match="current thread"):
            threading.current_thread().join()

    inside(program)


def test_a_lock_lets_one_in_at_a_time_in_the_order_they_came(inside):
    def program():
        lock = threading.Lock()
        order = []

        def work(name):
            with lock:
                order.append(f"{name} in")
                time.sleep(1)
                order.append(f"{name} out")

        threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return order

    assert inside(program) == ["a in", "a out", "b in", "b out", "c in", "c out"]


def test_a_lock_can_be_tried_timed_and_misused(inside):
    def program():
        lock = threading.Lock()
        assert lock.acquire()
        assert lock.locked()
        assert not lock.acquire(blocking=False)
        before = time.monotonic()
        assert not lock.acquire(timeout=2)
        assert time.monotonic() - before == pytest.approx(2, abs=0.001)
        with pytest.raises(ValueError, match="non-blocking"):
            lock.acquire(False, 1)
        lock.release()
        with pytest.raises(RuntimeError, match="unlocked"):
            lock.release()
        with lock:
            assert "locked" in repr(lock)

    inside(program)


def test_an_rlock_belongs_to_its_thread(inside):
    def program():
        lock = threading.RLock()
        with lock, lock:
            tried = []
            thread = threading.Thread(target=lambda: tried.append(lock.acquire(blocking=False)))
            thread.start()
            thread.join()
            assert tried == [False]
        with pytest.raises(RuntimeError):
            lock.release()

    inside(program)


def test_a_condition_hands_over_between_threads(inside):
    def program():
        condition = threading.Condition()
        items, got = [], []

        def take():
            with condition:
                while not items:
                    condition.wait()
                got.append(items.pop(0))

        takers = [threading.Thread(target=take) for _ in range(2)]
        for taker in takers:
            taker.start()
        time.sleep(1)
        with condition:
            items.extend("xy")
            condition.notify_all()
        for taker in takers:
            taker.join()
        with condition:
            assert not condition.wait(timeout=1.5)
            assert not condition.wait_for(lambda: False, timeout=1.5)
        return got

    assert inside(program) == ["x", "y"]


def test_an_event_wakes_all_who_wait(inside):
    def program():
        event = threading.Event()
        woken = []

        def wait(name):
            woken.append((name, event.wait(10), round(time.monotonic() - began, 1)))

        began = time.monotonic()
        threads = [threading.Thread(target=wait, args=(name,)) for name in "ab"]
        for thread in threads:
            thread.start()
        assert not event.wait(1)
        event.set()
        for thread in threads:
            thread.join()
        return woken

    assert inside(program) == [("a", True, 1.0), ("b", True, 1.0)]


def test_a_semaphore_admits_as_many_as_it_says(inside):
    def program():
        semaphore = threading.BoundedSemaphore(2)
        inside_now, most = [], []

        def work(n):
            with semaphore:
                inside_now.append(n)
                most.append(len(inside_now))
                time.sleep(1)
                inside_now.remove(n)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with pytest.raises(ValueError, match="released too many times"):
            semaphore.release()
        return max(most), round(time.monotonic() - began, 1)

    assert inside(program) == (2, 3.0)


def test_a_barrier_waits_for_everybody_and_can_break(inside):
    def program():
        barrier = threading.Barrier(3)
        through = []

        def arrive(n):
            time.sleep(n)
            barrier.wait()
            through.append(round(time.monotonic() - began, 1))

        began = time.monotonic()
        threads = [threading.Thread(target=arrive, args=(n,)) for n in (1, 2, 3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with pytest.raises(threading.BrokenBarrierError):
            barrier.wait(timeout=1)
        return through

    assert inside(program) == [3.0, 3.0, 3.0]


def test_a_timer_fires_once_and_can_be_cancelled(inside):
    def program():
        fired = []
        timer = threading.Timer(5, fired.append, args=("on time",))
        cancelled = threading.Timer(1, fired.append, args=("never",))
        timer.start()
        cancelled.start()
        cancelled.cancel()
        timer.join()
        return fired, round(time.monotonic() - began, 1)

    began = 1000
    assert inside(program) == (["on time"], 5.0)


def test_thread_local_data_is_apart(inside):
    class Settings(threading.local):
        value = "default"

    def program():
        plain, settings = threading.local(), Settings()
        plain.value = settings.value = "main"
        seen = []

        def work():
            seen.append((hasattr(plain, "value"), settings.value))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return seen, plain.value, settings.value

    assert inside(program) == ([(False, "default")], "main", "main")


@pytest.mark.parametrize("kind", [queue.Queue, queue.LifoQueue, queue.PriorityQueue])
def test_queues_wait_and_time_out(inside, kind):
    def program():
        q = kind(maxsize=1)

        def produce():
            for n in range(3):
                q.put(n)

        producer = threading.Thread(target=produce)
        producer.start()
        got = []
        for _ in range(3):
            time.sleep(1)
            got.append(q.get())
            q.task_done()
        q.join()
        with pytest.raises(queue.Empty):
            q.get(timeout=2)
        q.put("full")
        with pytest.raises(queue.Full):
            q.put("more", timeout=2)
        return got, round(time.monotonic() - 1000, 1)

    assert inside(program) == ([0, 1, 2], 7.0)


def test_a_simple_queue_waits(inside):
    def program():
        q = queue.SimpleQueue()
        threading.Timer(2, q.put, args=("late",)).start()
        with pytest.raises(queue.Empty):
            q.get(timeout=1)
        return q.get(), q.empty()

    assert inside(program) == ("late", True)


def test_a_thread_pool_works_side_by_side(inside):
    def program():
        def work(n):
            time.sleep(n)
            return n * n

        began = time.monotonic()
        with ThreadPoolExecutor(max_workers=3) as pool:
            squares = list(pool.map(work, [3, 1, 2]))
            first = concurrent.futures.wait(
                [pool.submit(work, 1), pool.submit(work, 5)],
                return_when=concurrent.futures.FIRST_COMPLETED,
            )
            late = pool.submit(work, 9)
            with pytest.raises(concurrent.futures.TimeoutError):
                late.result(timeout=1)
        return squares, len(first.done), round(time.monotonic() - began)

    assert inside(program) == ([9, 1, 4], 1, 13)


def test_names_and_pool_sizes_depend_on_the_program_alone(inside):
    def program():
        with ThreadPoolExecutor() as pool:
            name = pool.submit(lambda: threading.current_thread().name).result()
            size = pool._max_workers
        return name, size, threading.Thread().name, os.cpu_count()

    for _ in range(3):  # outside has its own numbers
        threading.Thread()
    assert inside(program) == ("ThreadPoolExecutor-0_0", 8, "Thread-1", 4)


def test_a_pool_that_nobody_shuts_down_finishes_its_work(run_script):
    source = """
import time
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(2)
for n in range(4):
    pool.submit(lambda n=n: (time.sleep(1), print("done", n)))
print("end of program")
"""
    assert run_script(source).splitlines() == ["end of program"] + [f"done {n}" for n in range(4)]


def test_an_exception_in_a_thread_ends_that_thread_alone_and_is_reported(world, script):
    process = script(
        """
import threading, time
def broken():
    raise RuntimeError("no such luck")
thread = threading.Thread(target=broken, name="helper")
thread.start()
thread.join()
time.sleep(1)
print("still here")
"""
    )
    world.run()
    assert process.exit == 0
    assert process.error is None
    assert process.output == "still here\n"
    (report,) = process.reports
    assert (report["type"], report["message"]) == ("RuntimeError", "no such luck")
    assert report["thread"] == "helper"
    assert report["own"] == [
        {"file": "main.py", "line": 4, "code": 'raise RuntimeError("no such luck")'}
    ]
    assert report["traceback"].splitlines()[-1] == "RuntimeError: no such luck"
    assert [event.process for event in world.trace.of_kind("error")] == ["main.py"]


def test_sys_exit_in_a_thread_ends_that_thread_quietly(world, script):
    process = script(
        "import sys, threading\n"
        "t = threading.Thread(target=sys.exit, args=(3,))\nt.start(); t.join()\nprint('on')\n"
    )
    world.run()
    assert (process.exit, process.output, process.reports) == (0, "on\n", [])


def test_a_thread_that_is_not_a_daemon_keeps_its_process_alive(world, script):
    process = script(
        "import threading, time\n"
        "threading.Thread(target=lambda: (time.sleep(5), print('done'))).start()\nprint('main')\n"
    )
    assert world.run().kind == "finished"
    assert process.output == "main\ndone\n"
    assert world.now_s == pytest.approx(5, abs=0.001)


def test_a_daemon_thread_ends_with_its_process(world, script):
    process = script(
        "import threading, time\n"
        "def forever():\n"
        "    try:\n"
        "        while True: time.sleep(1); print('tick')\n"
        "    finally:\n"
        "        print('cleanup')\n"
        "threading.Thread(target=forever, daemon=True).start()\ntime.sleep(2.5)\n"
    )
    assert world.run().kind == "finished"
    assert process.output == "tick\ntick\n"
    assert world.now_s == pytest.approx(2.5, abs=0.01)


def test_a_librarys_lock_is_free_again_when_its_holder_was_killed(world):
    from sandbox.sim.standins import importing

    with importing():
        shared = threading.Lock()
    got = []

    def hold():
        shared.acquire()
        time.sleep(1000)

    def want():
        time.sleep(1)
        with shared:
            got.append(round(time.monotonic() - 1000, 1))

    holder = world.start_function(hold)
    world.start_function(want)
    world.faults.at(3, holder.kill)
    assert world.run().kind == "finished"
    assert got == [3.0]


@pytest.mark.needs_os
def test_outside_a_world_threads_and_locks_are_real(world):
    locks = [threading.Lock(), threading.RLock(), threading.local(), queue.SimpleQueue()]
    assert [type(each).__module__ for each in locks] == ["_thread", "_thread", "_thread", "_queue"]
    assert isinstance(locks[0], type(threading.Lock()))
    assert isinstance(locks[3], queue.SimpleQueue)
    assert queue.SimpleQueue[int] is not None
    assert (threading.Lock | None) is not None
    idents = []
    thread = threading.Thread(target=lambda: idents.append(threading.get_ident()))
    thread.start()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert idents == [thread.ident]
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: 42).result(timeout=10) == 42


@pytest.mark.needs_os
def test_a_second_operating_system_thread_goes_on_as_before_while_a_world_runs(world, capsys):
    """Everything it does beside a running world is real, although `sys` shows the world's."""
    release, answers = threading.Event(), []

    def beside():
        release.wait(10)
        lock = threading.Lock()
        with lock:
            answers.append(type(lock).__module__)
        answers.append(abs(time.time() - real_time) < 100)
        answers.append(threading.current_thread().name)
        answers.append(os.getpid() == real_pid)
        print("printed beside")
        finished.set()

    def program():
        before = time.monotonic()
        print("half a line,", end=" ")
        release.set()
        while not finished.is_set():  # lets the other thread have the interpreter
            pass
        time.sleep(50)
        print("then the rest")
        return time.monotonic() - before

    real_time, real_pid, finished = time.time(), os.getpid(), threading.Event()
    thread = threading.Thread(target=beside, name="beside")
    thread.start()
    process = world.start_function(program)
    world.run(real_s=20)
    thread.join(timeout=10)
    assert answers == ["_thread", True, "beside", True]
    assert process.result == pytest.approx(50, abs=0.01)
    assert process.output == "half a line, then the rest\n"
    assert capsys.readouterr().out == "printed beside\n"
