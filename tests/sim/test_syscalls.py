"""The table of system calls is the only door, and only plain data passes it."""

from __future__ import annotations

import ast
import inspect
import typing
from pathlib import Path

import pytest

from sandbox.sim import standins, syscalls
from sandbox.sim.kernel import Kernel
from sandbox.sim.syscalls import Syscalls

CALLS = [name for name in vars(Syscalls) if not name.startswith("_")]
PLAIN = {
    "int", "str", "bytes", "bool", "None", "NoReturn", "int | None",
    "list[tuple[int, int]]", "tuple[int, int]", "tuple[str, int]", "tuple[int, str, int]",
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_arguments_and_results_are_plain_data(name):
    for annotation in inspect.get_annotations(getattr(Syscalls, name)).values():
        assert annotation in PLAIN


@pytest.mark.parametrize("name", CALLS)
def test_the_kernel_answers_every_call_as_the_table_has_it(name):
    promised, kept = (inspect.signature(getattr(where, name)) for where in (Syscalls, Kernel))
    assert promised == kept
    assert getattr(Syscalls, name).__doc__


def test_the_table_is_small():
    assert len(CALLS) <= 30


def test_stand_ins_reach_the_world_through_system_calls_alone():
    """No stand-in imports the kernel, the network or anything else that has state."""
    allowed = {"clock", "standins", "syscalls", "processes", "scheduler"}
    for file in Path(standins.__file__).parent.glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        typing_only = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sandbox.sim"):
                part = [*(node.module or "").split("."), node.names[0].name][2]
                assert part in allowed, f"{file.name} imports {node.module}"
                if part in ("processes", "scheduler"):
                    assert id(node) in typing_only, f"{file.name} imports {node.module}"


def test_the_table_is_typed_through_and_through():
    for name in CALLS:
        hints = typing.get_type_hints(getattr(Syscalls, name))
        parameters = list(inspect.signature(getattr(Syscalls, name)).parameters)[1:]
        assert set(hints) == {*parameters, "return"}
    assert syscalls.FIRST_FD > 1024
