"""asyncio in a world: the stock library on virtual sockets and time."""

from __future__ import annotations

import asyncio
import signal
import threading
import time

import pytest

from sandbox.sim.world import World


def test_a_thousand_sleepers_take_as_long_as_the_longest(inside):
    async def main():
        async def sleeper(n):
            await asyncio.sleep(n)
            return n

        return sum(await asyncio.gather(*(sleeper(n) for n in range(1000))))

    def program():
        return asyncio.run(main()), time.monotonic() - 1000

    total, took = inside(program)
    assert total == 499500
    assert took == pytest.approx(999, abs=0.5)


def test_streams_connect_a_server_and_its_clients(inside):
    async def handle(reader, writer):
        while line := await reader.readline():
            writer.write(line.upper())
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def client(word):
        reader, writer = await asyncio.open_connection("localhost", 9000)
        writer.write(f"{word}\n".encode())
        answer = await reader.readline()
        writer.close()
        await writer.wait_closed()
        return answer

    async def main():
        server = await asyncio.start_server(handle, "localhost", 9000)
        async with server:
            assert server.sockets[0].getsockname() == ("127.0.0.1", 9000)
            answers = await asyncio.gather(client("one"), client("two"))
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("localhost", 9001)
        return answers

    assert inside(lambda: asyncio.run(main())) == [b"ONE\n", b"TWO\n"]


def test_time_outs_cancel(inside):
    async def main():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(10), 1)
        async with asyncio.timeout(5):
            await asyncio.sleep(1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time() - began

    began = 1000
    assert inside(lambda: asyncio.run(main())) == pytest.approx(3, abs=0.01)


def test_blocking_work_goes_to_threads(inside):
    async def main():
        loop = asyncio.get_running_loop()
        names = await asyncio.gather(
            asyncio.to_thread(work),
            loop.run_in_executor(None, work),
        )
        return names, loop.time() - 1000

    def work():
        time.sleep(2)
        return threading.current_thread() is not threading.main_thread()

    assert inside(lambda: asyncio.run(main())) == ([True, True], pytest.approx(2, abs=0.01))


def test_a_runner_keeps_its_loop_between_runs(inside):
    def program():
        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            first = runner.run(asyncio.sleep(1, "one"))
            assert runner.get_loop() is loop
            return first, runner.run(asyncio.sleep(1, "two"))

    assert inside(program) == ("one", "two")


def test_an_old_tutorials_get_event_loop_works_in_the_main_thread(inside):
    def program():
        loop = asyncio.get_event_loop()
        assert loop is asyncio.get_event_loop()
        result = loop.run_until_complete(asyncio.sleep(1, "done"))
        loop.close()
        asyncio.set_event_loop(None)
        with pytest.raises(RuntimeError, match="no current event loop in thread 'MainThread'"):
            asyncio.get_event_loop()
        errors = []

        def work():
            try:
                asyncio.get_event_loop()
            except RuntimeError as error:
                errors.append(str(error))

        thread = threading.Thread(target=work, name="other")
        thread.start()
        thread.join()
        assert errors == ["There is no current event loop in thread 'other'."]
        return result

    assert inside(program) == "done"


def test_starting_a_program_is_refused_in_a_sentence(inside):
    async def main():
        with pytest.raises(PermissionError, match=r"sandbox\.start"):
            await asyncio.create_subprocess_exec("true")
        with pytest.raises(PermissionError, match=r"sandbox\.start"):
            await asyncio.create_subprocess_shell("true")

    inside(lambda: asyncio.run(main()))


def test_loops_of_several_processes_run_at_once(world):
    """Each fiber has a running loop and a current task of its own."""

    async def main(name, pause):
        for _ in range(5):
            await asyncio.sleep(pause)
            assert asyncio.current_task().get_name() == "Task-1"
            time.sleep(0.01)  # blocks this loop alone, and hands over to the others
            assert asyncio.current_task().get_coro().__name__ == "main"
            async with asyncio.timeout(1):
                await asyncio.to_thread(time.sleep, 0.02)
        return name

    processes = [
        world.start_function(lambda n=n: asyncio.run(main(n, 0.01 * (n + 1))), name=f"p{n}")
        for n in range(4)
    ]
    assert world.run().kind == "finished"
    assert [process.error for process in processes] == [None] * 4
    assert [process.result for process in processes] == [0, 1, 2, 3]


def test_loops_in_two_threads_of_one_process_run_at_once(inside):
    async def main(n):
        await asyncio.sleep(n)
        time.sleep(1)
        return asyncio.current_task().get_coro().__name__, threading.current_thread().name

    def program():
        results = []
        threads = [
            threading.Thread(target=lambda n=n: results.append(asyncio.run(main(n))), name=str(n))
            for n in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    assert inside(program) == [("main", "0"), ("main", "1"), ("main", "2")]


def test_a_world_runs_inside_a_running_loop_as_in_a_notebook():
    async def cell():
        world = World(1)
        process = world.start_function(lambda: asyncio.run(asyncio.sleep(5, "inner")))
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        world.run()
        assert asyncio.current_task() is task
        assert asyncio.get_running_loop() is loop
        await asyncio.sleep(0)
        return process.result

    assert asyncio.run(cell()) == "inner"


def test_ctrl_c_cancels_the_main_task(world, script):
    process = script(
        """
import asyncio
async def main():
    try:
        await asyncio.sleep(100)
    except asyncio.CancelledError:
        print("cancelled")
        raise
    finally:
        print("cleaned up")
try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("stopped")
"""
    )
    world.faults.at(3, lambda: process.signal(signal.SIGINT))
    world.run()
    assert process.output == "cancelled\ncleaned up\nstopped\n"
    assert process.exit == 0
    assert world.now_s == pytest.approx(3, abs=0.01)


@pytest.mark.skipif(not hasattr(signal, "SIGTERM"), reason="no SIGTERM here")
def test_a_loops_own_signal_handler_runs(world, script):
    process = script(
        """
import asyncio, signal
async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    print("asked to stop")
asyncio.run(main())
"""
    )
    world.faults.at(3, lambda: process.signal(signal.SIGTERM))
    assert world.run().kind == "finished"
    assert process.output == "asked to stop\n"
    assert process.exit == 0


ORDERS = """
import asyncio, random

async def work(name):
    try:
        await asyncio.sleep(5)
    except asyncio.CancelledError:
        print(name, "cancelled")
        raise

async def quick(name):
    print(name, "started", asyncio.current_task().get_name())
    return name

async def fail():
    await asyncio.sleep(1)
    raise ValueError

async def main():
    noise = [object() for _ in range(random.randrange(50))]
    for each in asyncio.as_completed([quick(f"completed-{n}") for n in range(20)]):
        await each
    done, _ = await asyncio.wait([asyncio.create_task(quick(f"waited-{n}")) for n in range(20)])
    print([task.result() for task in done])
    try:
        async with asyncio.TaskGroup() as group:
            for n in range(20):
                group.create_task(work(f"grouped-{n}"))
            group.create_task(fail())
    except ExceptionGroup:
        pass
    leftovers = [asyncio.create_task(work(f"left-{n}")) for n in range(20)]
    await asyncio.sleep(0)
    print(len(asyncio.all_tasks()))

asyncio.run(main())
"""


def test_the_order_of_tasks_does_not_depend_on_addresses(tmp_path, digest):
    """asyncio keeps tasks in sets; their order must come from the program alone."""
    file = tmp_path / "main.py"
    file.write_text(ORDERS)
    digests, keep = set(), []
    for n in range(4):
        keep.append([object() for _ in range(n * 1237)])  # moves every later object in memory
        world = World(5)
        process = world.start_script(file)
        world.run()
        assert process.error is None, process.reports
        digests.add(digest(world))
    assert len(digests) == 1
    lines = process.output.splitlines()
    assert lines[:2] == ["completed-0 started Task-2", "completed-1 started Task-3"]
    assert [line for line in lines if line.startswith("grouped")] == [
        f"grouped-{n} cancelled" for n in range(20)
    ]


def test_tasks_and_futures_are_asyncios_own_kind(inside):
    async def main():
        task = asyncio.create_task(asyncio.sleep(0), name="mine")
        future = asyncio.get_running_loop().create_future()
        assert isinstance(task, asyncio.Task)
        assert isinstance(future, asyncio.Future)
        assert repr(task).startswith("<Task pending name='mine'")
        assert repr(future) == "<Future pending>"
        assert len({task, future}) == 2
        assert task != future
        future.set_result(1)
        await task
        await asyncio.shield(future)

        def factory(loop, coro, **options):
            made = asyncio.Task(coro, loop=loop, **options)
            made.marked = True
            return made

        asyncio.get_running_loop().set_task_factory(factory)
        assert asyncio.create_task(asyncio.sleep(0)).marked

    inside(lambda: asyncio.run(main()))


@pytest.mark.needs_os
def test_outside_a_world_asyncio_is_as_it_was(world):
    async def main():
        task = asyncio.create_task(asyncio.sleep(0))
        await asyncio.gather(task, asyncio.to_thread(time.sleep, 0))
        process = await asyncio.create_subprocess_exec("true")
        return type(task), type(asyncio.get_running_loop()), await process.wait()

    kind, loop, status = asyncio.run(main())
    assert kind is asyncio.Task
    assert "World" not in loop.__name__
    assert status == 0
