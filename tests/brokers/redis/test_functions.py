"""Functions: loaded, called, listed, kept over a restart, and refused where they are wrong."""

from __future__ import annotations

import pytest

from tests.brokers.redis.client import Client, World, new_world

LIBRARY = """#!lua name=mylib
local function put(keys, args)
  redis.call('set', keys[1], args[1])
  return redis.call('get', keys[1])
end
redis.register_function('put', put)
redis.register_function{function_name='peek', flags={'no-writes'},
  callback=function(keys) return redis.call('get', keys[1]) end}
"""


def test_a_function_is_called_by_its_name(client: Client) -> None:
    assert client.ask("FUNCTION", "LOAD", LIBRARY) == b"mylib"
    assert client.ask("FCALL", "put", 1, "k", "v") == b"v"
    assert client.ask("FCALL_RO", "peek", 1, "k") == b"v"
    assert client.ask("FCALL_RO", "put", 1, "k", "v").startswith("ERR Can not execute")
    assert client.ask("FCALL", "nobody", 0) == "ERR Function not found"


def test_libraries_are_listed_replaced_and_deleted(client: Client) -> None:
    client.ask("FUNCTION", "LOAD", LIBRARY)
    listed = client.ask("FUNCTION", "LIST", "WITHCODE")
    assert listed[0][:4] == [b"library_name", b"mylib", b"engine", b"LUA"]
    assert listed[0][-1] == LIBRARY.encode()
    again = client.ask("FUNCTION", "LOAD", LIBRARY)
    assert again == "ERR Library 'mylib' already exists"
    assert client.ask("FUNCTION", "LOAD", "REPLACE", LIBRARY) == b"mylib"
    assert client.ask("FUNCTION", "DELETE", "mylib") == "OK"
    assert client.ask("FUNCTION", "LIST") == []


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("return 1", "ERR Missing library metadata"),
        ("#!js name=x\n", "ERR Engine 'js' not found"),
        ("#!lua\nreturn 1", "ERR Library name was not given"),
        ("#!lua name=x\nreturn 1", "ERR No functions registered"),
        ("#!lua name=x\nredis.register_function('f')", "ERR Error registering functions"),
        ("#!lua name=x\nlocal x = = 1", "ERR Error registering functions"),
    ],
)
def test_what_is_no_library_is_refused(client: Client, code: str, error: str) -> None:
    assert client.ask("FUNCTION", "LOAD", code).startswith(error)


def test_functions_outlive_a_restart_and_the_process(world: World) -> None:
    client = world.connect()
    records: list[object] = []
    client.ask("CONFIG", "SET", "appendonly", "yes")
    world.broker.keep = records.append
    records.extend(world.broker.snapshot())
    client.ask("FUNCTION", "LOAD", LIBRARY)
    other = new_world()
    other.broker.restore(records, world.now_ns)  # type: ignore[arg-type]
    assert other.connect().ask("FCALL", "put", 1, "k", "v") == b"v"
    world.broker.restart(world.now_ns)
    assert world.connect().ask("FCALL", "put", 1, "k", "v") == b"v"
