"""The `datetime` that programs of a world see."""

from __future__ import annotations

import copy
import datetime
import pickle
import time
from datetime import UTC, date, timedelta, timezone
from datetime import datetime as datetime_imported_by_name

import pytest

START = datetime.datetime(2026, 1, 5, 9, 0)


def test_now_utcnow_and_today_show_the_world(inside):
    def program():
        time.sleep(3600)
        return (
            datetime.datetime.now(),
            datetime.datetime.now(UTC),
            datetime_imported_by_name.today(),
            datetime.datetime.utcnow(),
            date.today(),
        )

    now, aware, today, utcnow, day = inside(program)
    ten = START + timedelta(hours=1)
    for moment in (now, today, utcnow, aware.replace(tzinfo=None)):
        assert abs(moment - ten) < timedelta(milliseconds=1)
    assert aware.tzinfo is UTC
    assert day == date(2026, 1, 5)


def test_a_zone_is_honoured(inside):
    zone = timezone(timedelta(hours=5, minutes=30))
    moment = inside(lambda: datetime.datetime.now(tz=zone))
    assert (moment.hour, moment.minute, moment.utcoffset()) == (14, 30, timedelta(hours=5.5))


def test_values_made_in_a_world_are_ordinary_datetimes(inside):
    moment, day = inside(lambda: (datetime.datetime.now(), date.today()))
    assert type(moment) is datetime.datetime
    assert type(day) is datetime.date
    assert isinstance(moment, datetime.datetime)
    assert isinstance(moment, datetime.date)
    assert not isinstance(day, datetime.datetime)
    assert pickle.loads(pickle.dumps(moment)) == copy.deepcopy(moment) == moment


def test_a_subclass_gets_its_own_kind(inside):
    class Stamp(datetime.datetime):
        pass

    class Day(datetime.date):
        pass

    now, today, day, then = inside(
        lambda: (Stamp.now(UTC), Stamp.today(), Day.today(), Stamp.fromtimestamp(0))
    )
    assert type(now) is type(today) is type(then) is Stamp
    assert type(day) is Day


@pytest.mark.needs_os
def test_naive_times_and_timestamps_agree_in_every_time_zone(inside, monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:

        def program():
            now = datetime.datetime.now()
            assert now.timestamp() == pytest.approx(time.time(), abs=0.001)
            assert datetime.datetime.fromtimestamp(now.timestamp()) == now
            assert date.fromtimestamp(time.time()) == now.date()
            assert now.astimezone().utcoffset() == timedelta(0)
            assert now.astimezone(timezone(timedelta(hours=1))).hour == now.hour + 1
            return now.hour

        assert inside(program) == 9
        assert datetime.datetime.fromtimestamp(0).hour == 19
    finally:
        monkeypatch.undo()
        time.tzset()


def test_outside_a_world_the_date_is_the_real_one(inside):
    inside(lambda: None)
    assert abs(datetime.datetime.now().timestamp() - time.time()) < 5
    assert datetime.datetime.now().date() == date.today()
    assert datetime.datetime.now(UTC).tzinfo is UTC
    assert datetime.datetime.fromtimestamp(0, UTC) == datetime.datetime(1970, 1, 1, tzinfo=UTC)
    with pytest.raises(TypeError):
        datetime.datetime.now("UTC")
