"""The front page's cell does what the page says it does."""

from pathlib import Path

import pytest

from sandbox.course.cells import Session
from sandbox.course.lesson import Cell, cells, read_lesson

INDEX = Path(__file__).parents[2] / "docs" / "index.md"


@pytest.fixture(scope="module")
def cell() -> Cell:
    (only,) = cells(read_lesson(INDEX))
    return only


def printed(source: str) -> str:
    session = Session(seed=1)
    try:
        return session.run(1, source).shown
    finally:
        session.close()


def test_the_stored_output_is_what_the_cell_prints(cell: Cell) -> None:
    assert printed(cell.source) == cell.output


def test_acknowledging_before_the_work_loses_the_order_as_the_page_suggests(cell: Cell) -> None:
    sleep, ack = "time.sleep(30)", "channel.basic_ack(delivery.delivery_tag)"
    assert cell.source.index(sleep) < cell.source.index(ack)
    swapped = cell.source.replace(sleep, "@").replace(ack, sleep).replace("@", ack)
    assert "Ben" not in printed(swapped)
