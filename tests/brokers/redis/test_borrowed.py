"""fakeredis sees the broker's time and chance, everywhere, and only while the broker acts."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from random import Random

import fakeredis

from sandbox.brokers.redis import Broker, borrowed
from tests.brokers.redis.client import new_world

#: Used by commands Redis 7.0 has not, by clients, or replaced by our own.
_HARMLESS = {
    "model._topk",
    "_core._selector",
    "stack._timeseries_mixin",
    "stack._vectorset_mixin",
    "model._timeseries_model",
}


def _importers(module: str) -> set[str]:
    root = Path(fakeredis.__file__).parent
    found = set()
    for path in sorted(root.rglob("*.py")):
        name = ".".join(path.relative_to(root).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import) and any(a.name == module for a in node.names):
                found.add(name)
    return {name for name in found if not name.startswith("_clients")}


def test_no_place_in_fakeredis_reads_a_clock_or_throws_dice_behind_our_back() -> None:
    assert _importers("time") - _HARMLESS == set(borrowed.TIME_READERS)
    assert _importers("random") - _HARMLESS == set(borrowed.DICE_ROLLERS)


def test_fakeredis_used_for_itself_is_left_as_it_is() -> None:
    Broker(random=Random(1)).connect("a:1", 0)
    clock = import_module("fakeredis._socket._base").time
    assert abs(clock.time() - clock._real.time()) < 5


def test_the_same_seed_gives_the_same_choices_and_the_same_trace() -> None:
    def play() -> tuple[object, object]:
        world = new_world()
        client = world.connect()
        client.ask("SADD", "s", *range(50))
        picks = [client.ask("SPOP", "s"), client.ask("SRANDMEMBER", "s", 5)]
        return [*picks, client.ask("ACL", "GENPASS"), client.ask("RANDOMKEY")], world.events

    assert play() == play()
