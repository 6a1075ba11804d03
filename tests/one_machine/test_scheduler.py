"""Schedules: New York time, whatever the clocks there do."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from statistics import median

import pytest

from infra.one_machine.bus import LocalBus
from infra.one_machine.clock import SeededChance
from infra.one_machine.kernel import Kernel
from infra.one_machine.queue import SqliteQueue
from infra.one_machine.scheduler import LATE_MEDIAN_S, LATE_P99_S, Lateness, LocalScheduler, instants
from shared.domain.base.calendar import session_of
from shared.errors import ConfigError
from shared.stored import Domain
from shared.topology import Function, Schedule, Subscription, Topology


@pytest.mark.parametrize(
    ("cron", "start", "expected"),
    [
        ("0 7 * * 1-5", datetime(2013, 3, 8, tzinfo=UTC), ["2013-03-08T12:00", "2013-03-11T11:00"]),
        ("5 16 * * 1-5", datetime(2013, 11, 1, tzinfo=UTC), ["2013-11-01T20:05", "2013-11-04T21:05"]),
        (
            "* 9-15 * * 1-5",
            datetime(2013, 11, 1, 19, 59, tzinfo=UTC),
            ["2013-11-01T19:59", "2013-11-04T14:00"],
        ),
        ("*/30 7-19 * * 1-5", datetime(2013, 3, 9, 1, tzinfo=UTC), ["2013-03-11T11:00", "2013-03-11T11:30"]),
    ],
)
def test_schedules_follow_new_york_over_a_clock_change(cron: str, start: datetime, expected: list[str]) -> None:
    """After the clocks have changed, jobs run at the same New York time, an hour off in UTC."""
    found = [f"{at:%Y-%m-%dT%H:%M}" for at in islice(instants(cron, start), 2)]
    assert found == expected


def test_an_hour_that_comes_twice_runs_twice() -> None:
    """A job of each half hour runs four times between one and two when the clocks go back."""
    start = datetime(2013, 11, 3, 5, tzinfo=UTC)
    found = [f"{at:%H:%M}" for at in islice(instants("*/30 1 * * *", start), 4)]
    assert found == ["05:00", "05:30", "06:00", "06:30"]


@pytest.mark.parametrize(("second", "minute"), [(0, 30), (1, 31)])
def test_the_present_instant_counts(second: int, minute: int) -> None:
    """A minute that begins now is run, and one that has begun is not."""
    start = datetime(2013, 10, 7, 13, 30, second, 5 * second, tzinfo=UTC)
    assert next(instants("* * * * *", start)) == datetime(2013, 10, 7, 13, minute, tzinfo=UTC)


def test_a_wrong_line_is_told() -> None:
    """A cron line that cannot be read is a ConfigError that shows it."""
    with pytest.raises(ConfigError, match=r"61 \* \* \* \*"):
        instants("61 * * * *", datetime(2013, 10, 7, tzinfo=UTC))


SCAN = Schedule(name="scan", cron="* 9-15 * * 1-5", topic="ticks", message="scan_tick")
SETTLE = Schedule(name="settle", cron="* 9-16 * * 1-5", topic="ticks", message="settle_tick")
MINUTE = timedelta(minutes=1)


def _minutes(day: date) -> list[datetime]:
    session = session_of(day)
    assert session is not None
    return [session.opens_at + one * MINUTE for one in range((session.closes_at - session.opens_at) // MINUTE)]


def test_ticks_are_as_late_as_is_said() -> None:
    """A tick is late by a median of 1 s, one in a hundred by 5 s or more, and each is published in its own minute."""
    minutes = _minutes(date(2013, 10, 7))
    late = sorted(Lateness(seed).of(SCAN, at).total_seconds() for seed in range(20) for at in minutes)
    assert median(late) == pytest.approx(LATE_MEDIAN_S, rel=0.05)
    assert late[len(late) * 99 // 100] == pytest.approx(LATE_P99_S, rel=0.1)
    assert 0 < late[0] < late[-1] <= 30


@pytest.mark.parametrize("day", [date(2013, 10, 7), date(2013, 11, 29)], ids=["whole", "half"])
def test_one_tick_of_a_session_is_lost(day: date) -> None:
    """Of the scan's ticks exactly one of each session is never published, another one by each seed; of others none."""
    lost = [[at for at in _minutes(day) if Lateness(seed).loses(SCAN, at)] for seed in range(9)]
    assert [len(one) for one in lost] == [1] * 9
    assert len({one[0] for one in lost}) > 5
    assert not any(Lateness(seed).loses(SETTLE, at) for seed in range(9) for at in _minutes(day))


def test_a_late_scheduler_publishes_what_it_does_not_lose() -> None:
    """With a lateness each tick but the lost one is published once, late and in its minute; without one, punctually."""
    minutes = _minutes(date(2013, 10, 7))
    late = Lateness(1)
    (lost,) = [at for at in minutes if late.loses(SCAN, at)]
    start, end = lost - 2 * MINUTE, lost + 2 * MINUTE
    found = _pushed(start, end, late)
    expected = [start + one * MINUTE for one in range(5) if one != 2]
    assert [at.replace(second=0, microsecond=0) for at in found] == expected
    assert all(at - begun >= late.of(SCAN, begun) for at, begun in zip(found, expected, strict=True))
    assert all(at.second == 0 for at in _pushed(start, end, None))


def _pushed(start: datetime, end: datetime, lateness: Lateness | None) -> list[datetime]:
    """Give when the scan's ticks between two instants reach their function."""
    ticker = Function(name="ticker", purpose="", home=Domain.BOOK, subscriptions=(Subscription(topic="ticks"),))
    topology = Topology(functions=(ticker,), topics={"ticks": ""}, schedules=(), secrets={}, collections={})
    kernel, pushed = Kernel(start=start, seed=1), list[datetime]()

    def deliver(_function: str, _body: bytes) -> int:
        pushed.append(kernel.now())
        return 204

    chance, queue = SeededChance(seed=1, name="bus"), SqliteQueue(None)
    bus = LocalBus(kernel=kernel, topology=topology, queue=queue, deliver=deliver, chance=chance)
    scheduler = LocalScheduler(kernel=kernel, bus=bus, body_of=lambda _: b"{}", lateness=lateness)
    scheduler.start((SCAN,), until=end)
    kernel.run(end + MINUTE)
    queue.close()
    return pushed


def test_jobs_publish_their_message_until_the_end() -> None:
    """Between now and the end each job publishes its own body at its instants, and then no more."""
    start, end = datetime(2013, 10, 7, 13, 28, tzinfo=UTC), datetime(2013, 10, 7, 13, 31, tzinfo=UTC)
    ticker = Function(name="ticker", purpose="", home=Domain.BOOK, subscriptions=(Subscription(topic="ticks"),))
    topology = Topology(functions=(ticker,), topics={"ticks": ""}, schedules=(), secrets={}, collections={})
    kernel, pushed = Kernel(start=start, seed=1), list[str]()

    def deliver(_function: str, _body: bytes) -> int:
        pushed.append(f"{kernel.now():%H:%M}")
        return 204

    chance, queue = SeededChance(seed=1, name="bus"), SqliteQueue(None)
    bus = LocalBus(kernel=kernel, topology=topology, queue=queue, deliver=deliver, chance=chance)
    asked: list[str] = []

    def body_of(kind: str) -> bytes:
        asked.append(kind)
        return b"{}"

    jobs = (Schedule(name="scan", cron="30-59 9 * * *", topic="ticks", message="scan_tick"),)
    LocalScheduler(kernel=kernel, bus=bus, body_of=body_of).start(jobs, until=end)
    kernel.run(datetime(2013, 10, 7, 14, 30, tzinfo=UTC))
    queue.close()
    assert (pushed, asked, kernel.idle) == (["13:30", "13:31"], ["scan_tick"], True)
