"""Schedules: New York time, whatever the clocks there do."""

from datetime import UTC, datetime
from itertools import islice

import pytest

from infra.local.bus import LocalBus
from infra.local.clock import SeededChance
from infra.local.kernel import Kernel
from infra.local.queue import SqliteQueue
from infra.local.scheduler import LocalScheduler, instants
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
