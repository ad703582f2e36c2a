"""Plain data crosses between processes unharmed, and nothing else crosses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.stack.live import control

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(plain)
def test_plain_data_arrives_as_it_was_sent(value: object) -> None:
    line = control.encode("record", value=value)
    assert line.count(b"\n") == 1
    assert control.decode(line) == {"kind": "record", "value": value}


def test_a_tuple_arrives_as_a_list() -> None:
    assert control.unpack(control.pack((1, (2, b"x")))) == [1, [2, b"x"]]


@pytest.mark.parametrize("value", [object(), {1: "number as key"}, {"deep": [{1, 2}]}])
def test_anything_else_is_refused_by_name(value: object) -> None:
    with pytest.raises(TypeError, match="cannot leave its process"):
        control.pack(value)


@pytest.mark.parametrize("line", [b"[]\n", b"{}\n", b'{"kind": 1}\n', b"nonsense\n"])
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):
        control.decode(line)
