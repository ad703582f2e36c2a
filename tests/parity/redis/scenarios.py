"""What the course teaches about Redis, as programs: played on the sandbox and on Redis."""

from __future__ import annotations

import threading
import time
from typing import Any

import redis
from redis.lock import Lock

from tests.parity.redis.stage import Stage, scenario


@scenario
def a_list_is_a_queue(stage: Stage) -> None:
    client = stage.client()
    stage.see(client.rpush("jobs", "a", "b", "c"), client.llen("jobs"))
    stage.see(client.lpop("jobs"), client.rpop("jobs"), client.lrange("jobs", 0, -1))
    stage.see(client.blpop("jobs", timeout=1), client.exists("jobs"), client.type("jobs"))
    stage.see(client.lpop("jobs"), client.lpop("jobs", 2))


@scenario
def whoever_waits_longest_is_served_first(stage: Stage) -> None:
    client = stage.client()
    served: list[Any] = []

    def wait(name: str) -> None:
        own = stage.client()
        served.append((name, own.blpop(["urgent", "jobs"], timeout=60)))

    for name in ("first", "second"):
        before = client.info("clients")["blocked_clients"]
        threading.Thread(target=wait, args=(name,), daemon=True).start()
        stage.until(lambda before=before: client.info("clients")["blocked_clients"] == before + 1)
    client.rpush("jobs", "a")
    stage.until(lambda: len(served) == 1)
    client.rpush("urgent", "b")
    stage.until(lambda: len(served) == 2)
    stage.see(served)


@scenario
def a_wait_with_a_limit_ends_empty_handed(stage: Stage) -> None:
    client = stage.client()
    began = time.monotonic()
    stage.see(client.blpop("jobs", timeout=0.2), time.monotonic() - began >= 0.2)
    stage.see(client.blmove("jobs", "taken", 0.1, "LEFT", "RIGHT"))
    stage.see(client.xread({"events": "$"}, block=50))


@scenario
def a_job_is_moved_before_it_is_done(stage: Stage) -> None:
    client = stage.client()
    client.rpush("jobs", "a", "b")
    stage.see(client.lmove("jobs", "taken", "LEFT", "RIGHT"), client.lrange("taken", 0, -1))
    stage.see(client.lrem("taken", 1, "a"), client.lrem("taken", 1, "a"), client.llen("taken"))
    stage.see(client.rpoplpush("jobs", "jobs"), client.lrange("jobs", 0, -1))


@scenario
def jobs_for_later_are_a_sorted_set(stage: Stage) -> None:
    client = stage.client()
    stage.see(client.zadd("later", {"b": 20, "a": 10, "c": 30}))
    stage.see(client.zrange("later", 0, 20, byscore=True, withscores=True))
    stage.see(client.zadd("later", {"a": 40}, nx=True), client.zadd("later", {"a": 15}, xx=True))
    stage.see(client.zadd("later", {"a": 12}, gt=True, ch=True), client.zscore("later", "a"))
    stage.see(client.zpopmin("later", 2), client.zcard("later"), client.zrank("later", "c"))
    stage.see(client.zincrby("later", 0.5, "c"), client.zrem("later", "c", "x"))


@scenario
def a_set_forgets_doubles(stage: Stage) -> None:
    client = stage.client()
    stage.see(client.sadd("seen", "1", "2"), client.sadd("seen", "2", "3"), client.scard("seen"))
    stage.see(client.sismember("seen", "3"), client.smembers("seen"), client.srem("seen", "9"))
    stage.see(client.hset("h", mapping={"a": 1, "b": 2}), client.hsetnx("h", "a", 5))
    stage.see(client.hincrby("h", "a", 2), client.hgetall("h"), client.hdel("h", "a", "x"))


@scenario
def a_stream_keeps_what_was_read(stage: Stage) -> None:
    client = stage.client()
    stage.see([client.xadd("events", {"n": n}, id=f"{n}-0") for n in range(1, 4)])
    stage.see(client.xread({"events": "1"}), client.xlen("events"))
    stage.see(client.xrange("events", "-", "(2-0"), client.xrevrange("events", count=1))
    stage.refused(lambda: client.xadd("events", {"n": 0}, id="2-0"))
    stage.refused(lambda: client.xadd("events", {"n": 0}, id="0-0"))
    stage.see(client.xtrim("events", maxlen=1, approximate=False), client.xlen("events"))
    stage.see(client.xadd("events", {"n": 9}, id="3-*"), client.xdel("events", "3-0", "7-0"))


@scenario
def a_group_shares_a_stream(stage: Stage) -> None:
    client = stage.client()
    stage.refused(lambda: client.xgroup_create("events", "g"))
    stage.see(client.xgroup_create("events", "g", id="0", mkstream=True))
    stage.refused(lambda: client.xgroup_create("events", "g"))
    for n in range(1, 5):
        client.xadd("events", {"n": n}, id=f"{n}-0")
    stage.see(client.xreadgroup("g", "ann", {"events": ">"}, count=2))
    stage.see(client.xreadgroup("g", "bob", {"events": ">"}))
    stage.see(client.xreadgroup("g", "ann", {"events": ">"}))
    stage.see(client.xreadgroup("g", "ann", {"events": "0"}))
    stage.see(client.xack("events", "g", "1-0", "9-0"), client.xpending("events", "g"))
    stage.see(client.xinfo_groups("events"))
    stage.refused(lambda: client.xreadgroup("nobody", "ann", {"events": ">"}))


@scenario
def what_a_dead_consumer_had_is_claimed(stage: Stage) -> None:
    client = stage.client()
    client.xgroup_create("events", "g", id="0", mkstream=True)
    for n in range(1, 4):
        client.xadd("events", {"n": n}, id=f"{n}-0")
    client.xreadgroup("g", "dead", {"events": ">"})
    stage.see(client.xautoclaim("events", "g", "ann", min_idle_time=60_000))
    stage.see(client.xautoclaim("events", "g", "ann", min_idle_time=0, count=2))
    stage.see(client.xclaim("events", "g", "bob", 0, ["3-0", "7-0"]))
    pending = client.xpending_range("events", "g", "-", "+", 10)
    stage.see([(p["message_id"], p["consumer"], p["times_delivered"]) for p in pending])
    stage.see(client.xgroup_delconsumer("events", "g", "bob"), client.xpending("events", "g"))
    client.xdel("events", "1-0")
    stage.see(client.xautoclaim("events", "g", "bob", min_idle_time=0))


@scenario
def messages_for_nobody_are_gone(stage: Stage) -> None:
    client, listener = stage.client(), stage.client().pubsub()
    stage.see(client.publish("news", "lost"))
    listener.subscribe("news")
    listener.psubscribe("n*")
    stage.see([listener.get_message(timeout=60) for _ in range(2)])
    stage.see(client.publish("news", "heard"), client.pubsub_numsub("news"), client.pubsub_numpat())
    stage.see([listener.get_message(timeout=60) for _ in range(2)])
    listener.unsubscribe("news")
    stage.see(listener.get_message(timeout=60), client.publish("news", "once"))
    listener.close()


@scenario
def keys_expire(stage: Stage) -> None:
    client = stage.client()
    stage.see(client.set("short", "1", px=60), client.pttl("short") <= 60)
    stage.see(client.ttl("nothing"), client.set("long", "1"), client.ttl("long"))
    stage.until(lambda: client.get("short") is None)
    stage.see(client.exists("short"), client.expire("long", 100), client.ttl("long") in (99, 100))
    stage.see(client.expire("long", 50, gt=True), client.persist("long"), client.ttl("long"))
    stage.see(client.set("long", "2", keepttl=True), client.expire("long", -1), client.get("long"))


@scenario
def a_lock_is_held_by_one(stage: Stage) -> None:
    client = stage.client()
    stage.see(client.set("lock", "me", nx=True, px=60_000))
    stage.see(client.set("lock", "you", nx=True), client.set("lock", "x", xx=True, get=True))
    first = Lock(client, "guard", timeout=60)
    second = Lock(stage.client(), "guard", timeout=60)
    stage.see(first.acquire(), second.acquire(blocking=False), first.owned(), second.owned())
    first.release()
    stage.see(second.acquire(blocking=False), client.exists("guard"))
    stage.refused(first.release)
    second.extend(30)
    second.release()


@scenario
def a_transaction_is_all_or_nothing(stage: Stage) -> None:
    client, other = stage.client(), stage.client()
    with client.pipeline() as pipe:
        stage.see(pipe.incr("n").rpush("l", "a").execute())
        pipe.watch("n")
        other.incr("n")
        pipe.multi()
        pipe.set("n", "mine")
        stage.refused(pipe.execute)
    with client.pipeline() as pipe:
        pipe.incr("l").incr("n")
        stage.refused(pipe.execute)
    stage.see(client.get("n"))
    with client.pipeline(transaction=False) as pipe:
        pipe.set("a", 1).get("a").get("b")
        stage.see(pipe.execute())


@scenario
def a_transaction_with_a_mistake_is_not_begun(stage: Stage) -> None:
    client = stage.client(single_connection_client=True)
    stage.see(client.execute_command("MULTI"), client.execute_command("SET", "a", 1))
    stage.refused(lambda: client.execute_command("NOPE"))
    stage.refused(lambda: client.execute_command("EXEC"))
    stage.refused(lambda: client.execute_command("EXEC"))
    stage.refused(lambda: client.execute_command("DISCARD"))
    stage.see(client.get("a"))


@scenario
def a_script_is_one_step(stage: Stage) -> None:
    client = stage.client()
    take = client.register_script(
        "local n = tonumber(redis.call('GET', KEYS[1]) or '0')\n"
        "if n >= tonumber(ARGV[1]) then return 0 end\n"
        "redis.call('INCR', KEYS[1])\nreturn 1"
    )
    stage.see([take(keys=["rate"], args=[2]) for _ in range(3)], client.get("rate"))
    stage.see(
        client.eval("return {KEYS[1], ARGV[1], 3, false, redis.status_reply('OK')}", 1, "k", "v")
    )
    stage.refused(lambda: client.eval("return redis.error_reply('MY error')", 0))
    stage.refused(lambda: client.evalsha("0" * 40, 0))


@scenario
def a_wrong_type_is_refused(stage: Stage) -> None:
    client = stage.client()
    client.set("text", "abc")
    stage.refused(lambda: client.lpush("text", "a"))
    stage.refused(lambda: client.incr("text"))
    stage.refused(lambda: client.xadd("text", {"a": "b"}))
    stage.refused(lambda: client.execute_command("GET"))
    stage.refused(lambda: client.execute_command("NOSUCH", "a"))
    stage.refused(lambda: client.execute_command("SET", "a", "b", "EX", "0"))
    stage.refused(lambda: client.zadd("z", {"a": "many"}))


@scenario
def counting_with_a_limit_of_time(stage: Stage) -> None:
    client = stage.client()
    stage.see([client.incr("hits") for _ in range(3)], client.expire("hits", 60, nx=True))
    stage.see(client.expire("hits", 60, nx=True), client.decr("hits"), client.incrbyfloat("x", 0.1))
    stage.see(client.setrange("s", 3, "abc"), client.getrange("s", 0, -1), client.append("s", "!"))
    stage.see(client.getdel("hits"), client.getex("s", ex=10), client.mget("s", "nothing"))


@scenario
def keys_tell_what_happens_to_them(stage: Stage) -> None:
    client = stage.client()
    client.config_set("notify-keyspace-events", "KEA")
    listener = stage.client().pubsub()
    listener.psubscribe("__key*@0__:*")
    listener.get_message(timeout=60)
    client.rpush("jobs", "a")
    client.lpop("jobs")
    client.set("k", "v", px=40)
    # Redis looks for what has expired when somebody asks, or in its own time.
    stage.until(lambda: client.get("k") is None)
    seen: list[Any] = []
    while not seen or seen[-1] != ("__keyevent@0__:expired", "k"):
        message = listener.get_message(timeout=60)
        seen.append((message["channel"], message["data"]))
    stage.see(seen)
    listener.close()


@scenario
def a_newer_protocol_has_more_types(stage: Stage) -> None:
    client = stage.client(protocol=3)
    client.zadd("z", {"a": 1.5})
    client.hset("h", "f", "v")
    client.sadd("s", "m")
    stage.see(client.hgetall("h"), client.smembers("s"), client.zscore("z", "a"))
    stage.see(client.zrange("z", 0, -1, withscores=True), client.get("nothing"))
    stage.see(client.client_getname(), client.client_setname("me"), client.client_getname())


@scenario
def databases_are_apart(stage: Stage) -> None:
    first, second = stage.client(), stage.client(db=1)
    first.set("a", "0")
    stage.see(second.get("a"), first.move("a", 1), second.get("a"), first.dbsize())
    stage.see(second.rename("a", "b"), second.renamenx("b", "b"), second.keys("*"))
    stage.refused(lambda: second.rename("nothing", "b"))
    stage.refused(lambda: stage.client(db=99).get("a"))


@scenario
def a_client_can_be_told_to_go(stage: Stage) -> None:
    client, other = stage.client(), stage.client(single_connection_client=True)
    number = other.client_id()
    stage.see(client.client_kill_filter(_id=number), client.client_kill_filter(_id=number))
    try:
        other.execute_command("PING")
        stage.see("connected again")
    except redis.ConnectionError:
        stage.see("gone")


@scenario
def a_waiting_client_can_be_unblocked(stage: Stage) -> None:
    client, got = stage.client(), []
    other = stage.client(single_connection_client=True)
    number = other.client_id()

    def wait() -> None:
        try:
            got.append(other.blpop("jobs", timeout=60))
        except redis.ResponseError as error:
            got.append(str(error))

    for error in (False, True):
        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        stage.until(lambda: client.info("clients")["blocked_clients"])
        stage.see(client.client_unblock(number, error=error))
        thread.join()
    stage.see(got, client.client_unblock(number))
