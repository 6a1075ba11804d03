"""The broker's Date header: each answer is heard, whatever it says, and a header that cannot be read says nothing."""

from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest

from shared.domain.broker.skew import Off, judged
from shared.errors import DeskError
from shared.etrade.skew import BrokerClock
from tests.etrade import samples
from tests.etrade.world import Reply, World, error_reply, json_reply, world

GOOD = json_reply(samples.ACCOUNTS)


def asked(made: World, times: int = 3) -> timedelta | None:
    """Ask so many times, a second apart, and give what is known of the clock."""
    made.broker_clock = made.broker_clock or BrokerClock(made.clock)
    broker = made.broker()
    for _ in range(times):
        try:
            broker.accounts()
        except DeskError:
            made.clock.at += timedelta(0)
        made.clock.at += timedelta(seconds=1.3)
    return made.broker_clock.ahead()


class Deaf(BrokerClock):
    """Seeded mistake: no answer's Date is heard, as it once was."""

    def heard(self, date: str, *, sent_at: datetime, received_at: datetime) -> None:
        """Let it pass."""


def test_who_hears_no_date_would_be_caught() -> None:
    """A client that hears no Date knows nothing of a clock that is ninety seconds off: the test below would fail."""
    made = world(GOOD)
    made.broker_side.date = lambda: format_datetime(made.clock.at - timedelta(seconds=90), usegmt=True)
    made.broker_clock = Deaf(made.clock)
    assert judged(asked(made)) is Off.RIGHT


@pytest.mark.parametrize("off", [90, 10, -10, -90])
@pytest.mark.parametrize("reply", [GOOD, (204, b""), (500, b"<html>"), error_reply(100, "odd")])
def test_each_answer_is_heard(off: int, reply: Reply) -> None:
    """Good answers, refusals and failures alike say what time it is at the broker."""
    made = world(reply)
    made.broker_side.date = lambda: format_datetime(made.clock.at - timedelta(seconds=off), usegmt=True)
    assert judged(asked(made)) is (Off.HALTED if abs(off) == 90 else Off.NO_ENTRIES)
    assert ((made.broker_clock or BrokerClock(made.clock)).ahead() or timedelta(0)) * off > timedelta(0)


@pytest.mark.parametrize(
    "date",
    [
        "", "yesterday", "Mon, 23 Nov 2026 15:00:00", "Mon, 99 Nov 2026 99:00:00 GMT", "x" * 100_000,
        "Mon, 23 Nov 99999999999 1:0:0 GMT",
    ],
)  # fmt: skip
def test_what_is_no_date_says_nothing(date: str) -> None:
    """A header that is missing, or no instant, is no word on our clock, and no error."""
    made = world(GOOD)
    made.broker_side.date = lambda: date
    assert asked(made) is None


def test_all_clients_of_an_instance_share_what_they_heard() -> None:
    """What one client hears counts for the others: an instance has one clock."""
    made = world(GOOD)
    made.broker_side.date = lambda: format_datetime(made.clock.at - timedelta(seconds=90), usegmt=True)
    assert asked(made, times=1) is None
    assert asked(made, times=1) is None
    assert judged(asked(made, times=1)) is Off.HALTED
