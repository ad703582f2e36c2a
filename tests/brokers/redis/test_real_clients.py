"""Clients that other people wrote, over TCP: redis-py, its asyncio side, and Redis's own tools."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import threading
from collections.abc import Iterator

import pytest
import redis
import redis.asyncio
from redis.cache import CacheConfig

from tests.brokers.redis.tcp import Carrier, listening

pytestmark = pytest.mark.needs_os
TIMEOUT_S = 60


@pytest.fixture(scope="module")
def carrier() -> Iterator[Carrier]:
    with listening(config={"enable-debug-command": "yes"}) as made:
        yield made


@pytest.fixture
def client(carrier: Carrier) -> Iterator[redis.Redis]:
    with redis.Redis(port=carrier.port, decode_responses=True, socket_timeout=TIMEOUT_S) as made:
        made.flushall()
        yield made


def test_a_pipeline_of_thousands_is_answered_in_order(client: redis.Redis) -> None:
    pipeline = client.pipeline(transaction=False)
    for number in range(5000):
        pipeline.xadd("events", {"n": number, "text": "x" * (number % 300)})
    ids = pipeline.execute()
    assert ids == sorted(ids, key=lambda each: tuple(map(int, each.split("-"))))
    assert client.xlen("events") == 5000
    with client.pipeline() as transaction:
        assert transaction.incr("n").incr("n").get("n").execute() == [1, 2, "2"]


def test_a_large_value_in_many_pieces_survives(client: redis.Redis) -> None:
    value = "\r\n*3\r\n" * 500_000
    client.set("large", value)
    assert client.get("large") == value


def test_a_group_hands_out_every_entry_once(client: redis.Redis, carrier: Carrier) -> None:
    client.xgroup_create("s", "g", "0", mkstream=True)
    got: list[str] = []
    guard = threading.Lock()

    def work(name: str) -> None:
        with redis.Redis(port=carrier.port, decode_responses=True, socket_timeout=TIMEOUT_S) as own:
            while True:
                read = own.xreadgroup("g", name, {"s": ">"}, count=7, block=20_000)
                entries = [entry for _, batch in _pairs(read) for entry in _flat(batch)]
                for entry_id, fields in entries:
                    own.xack("s", "g", entry_id)
                    if fields["n"] == "end":
                        own.xadd("s", {"n": "end"})  # for the next worker
                        return
                    with guard:
                        got.append(fields["n"])

    workers = [threading.Thread(target=work, args=(f"w{n}",), daemon=True) for n in range(4)]
    for worker in workers:
        worker.start()
    for number in range(500):
        client.xadd("s", {"n": number})
    client.xadd("s", {"n": "end"})
    for worker in workers:
        worker.join(TIMEOUT_S)
        assert not worker.is_alive()
    assert sorted(map(int, got)) == list(range(500))
    assert client.xpending("s", "g")["pending"] == 0


def _pairs(read: object) -> list[tuple[str, object]]:
    """What XREADGROUP gave, whichever shape this redis-py gives it."""
    if isinstance(read, dict):
        return list(read.items())
    return [(each[0], each[1]) for each in read or ()]  # type: ignore[attr-defined]


def _flat(batch: object) -> list[tuple[str, dict[str, str]]]:
    found = []
    for each in batch:  # type: ignore[attr-defined]
        if isinstance(each, list) and each and isinstance(each[0], (list, tuple)):
            found += [tuple(inner) for inner in each]
        else:
            found.append(tuple(each))
    return found


def test_a_lock_is_held_by_one_at_a_time(client: redis.Redis) -> None:
    with client.lock("lock", timeout=30) as lock:
        assert not client.lock("lock", timeout=30, blocking=False).acquire()
        lock.extend(30)
        assert client.ttl("lock") > 30
    assert client.exists("lock") == 0


def test_a_client_with_a_cache_sees_what_others_write(
    client: redis.Redis, carrier: Carrier
) -> None:
    with redis.Redis(
        port=carrier.port, protocol=3, cache_config=CacheConfig(), decode_responses=True
    ) as cached:
        client.set("k", "old")
        assert cached.get("k") == "old"
        client.set("k", "new")
        for _ in range(10_000):
            if cached.get("k") == "new":
                break
        assert cached.get("k") == "new"


def test_asyncio_clients_publish_subscribe_and_wait(carrier: Carrier) -> None:
    async def play() -> list[object]:
        url = f"redis://localhost:{carrier.port}"
        async with (
            redis.asyncio.from_url(url, decode_responses=True, socket_timeout=None) as one,
            redis.asyncio.from_url(url, decode_responses=True) as other,
        ):
            pubsub = one.pubsub()
            await pubsub.subscribe("news")
            assert (await pubsub.get_message(timeout=TIMEOUT_S))["type"] == "subscribe"
            waiting = asyncio.create_task(one.blpop(["jobs"], timeout=TIMEOUT_S))
            while not any("b" in c["flags"] for c in await other.client_list()):
                await asyncio.sleep(0)
            await other.rpush("jobs", "a")
            await other.publish("news", "hello")
            message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=TIMEOUT_S)
            await pubsub.aclose()
            return [list(await waiting), message["data"]]

    assert asyncio.run(play()) == [["jobs", "a"], "hello"]


@pytest.mark.live
def test_redis_cli_reads_and_writes(carrier: Carrier) -> None:
    program = shutil.which("redis-cli")
    if program is None:
        pytest.skip("There is no redis-cli here. On Debian or Ubuntu: apt-get install redis-tools.")
    lines = "set k 'a b'\nget k\nxadd s 1-1 f v\nxrange s - +\nclient list\ninfo server\nnosuch\n"
    done = subprocess.run(
        [program, "-p", str(carrier.port)],
        input=lines, capture_output=True, text=True, timeout=TIMEOUT_S, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("OK\na b\n1-1\n1-1\nf\nv\n")
    assert "redis_version:7.4.2" in done.stdout
    assert "ERR unknown command 'nosuch'" in done.stdout


@pytest.mark.live
def test_redis_benchmark_runs_through(carrier: Carrier) -> None:
    program = shutil.which("redis-benchmark")
    if program is None:
        pytest.skip(
            "There is no redis-benchmark here. On Debian or Ubuntu: apt-get install redis-tools."
        )
    done = subprocess.run(
        [program, "-p", str(carrier.port), "-n", "2000", "-c", "50", "-P", "5", "-q"],
        capture_output=True, text=True, timeout=5 * TIMEOUT_S, check=True,
    )  # fmt: skip
    assert "XADD" in done.stdout or "MSET" in done.stdout
    assert "rror" not in done.stdout + done.stderr
