"""Data that end before a session's close are named, and a sale after their end is told from one at a price of then."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from infra.results.data_end import End, end_of, ended, named, told
from infra.results.facts import Point
from infra.results.figures import exposure_pct
from shared.domain.orders.explain import why_left
from tests.results.made import DAY, at, curve, trade

CLOSES = datetime(2013, 10, 7, 20, tzinfo=UTC)
NOON = datetime(2013, 10, 7, 16, tzinfo=UTC)


def before_close(**minutes: float) -> dict[str, datetime]:
    return {symbol: CLOSES - timedelta(minutes=many) for symbol, many in minutes.items()}


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        ({"IBM": 0, "SPY": -1}, ()),
        ({"IBM": 29, "SPY": 4}, ()),
        (
            {"IBM": 240, "SPY": 241},
            (
                (
                    "The data of 2013-10-07 end at 12:00:00 New York, before the close at 16:00:00: nothing after that "
                    "can be judged, and what was held then counts at its last price."
                ),
            ),
        ),
        (
            {"IBM": 31, "SPY": 0},
            ("The data of some symbols end before the others: IBM on 2013-10-07 at 15:29:00 New York.",),
        ),
    ],
)
def test_what_ends_early_is_named(minutes: dict[str, float], said: tuple[str, ...]) -> None:
    """A session, or a symbol beside others that go on, is named with New York's time; what lasts is not."""
    end = end_of(DAY, CLOSES, before_close(**minutes))
    assert told([] if end is None else [end]) == said


def test_several_sessions_are_one_sentence() -> None:
    """Of many sessions that end early each of the first few is named, and the others are counted."""
    ends = [End(day=DAY + timedelta(days=one), closes=CLOSES, at=NOON) for one in range(7)]
    (sentence,) = told(ends)
    assert sentence.startswith("The data of 7 sessions end before the close, 2013-10-07 at 12:00:00, 2013-10-08 at")
    assert " and 2 more New York: nothing after" in sentence


def test_a_sale_after_the_end_says_so() -> None:
    """A trade that was left after its symbol's data had ended says it with its reason; every other one stays."""
    end = End(day=DAY, closes=CLOSES, at=NOON, symbols={"SPY": NOON - timedelta(hours=2)})
    before, late = trade("1", reason="flatten", hour=11), trade("1", reason="flatten", hour=12)
    other, held = trade("1", symbol="SPY", reason="flatten", hour=11), trade("1", over=False)
    found = named([before, late, other, held], [end])
    assert [one.exit_reason for one in found] == ["flatten", "flatten, data_end", "flatten, data_end", ""]
    assert why_left(found[1].exit_reason) == "end-of-day exit, at the last price, the data had ended"


def test_a_curve_ends_where_the_data_end() -> None:
    """The points after a session's data are one at their end, with what the next session begins with; others stay."""
    end = End(day=DAY, closes=CLOSES, at=NOON)
    before, after = curve([100, 90]), curve([95], day=DAY + timedelta(days=1))
    late = [Point(at=NOON + timedelta(minutes=one), equity=Decimal(80 + one), invested=Decimal(0)) for one in range(9)]
    found = ended([*before, *late, *after], [end])
    assert found == (*before, Point(at=NOON, equity=Decimal(88), invested=Decimal(0)), *after)
    assert ended([*before, *late], [End(day=DAY, closes=CLOSES, at=None)]) == (*before, *late)


def test_hours_without_data_count_in_no_exposure() -> None:
    """What is held when the data end counts in the exposure up to then, and not for the hours that nobody saw."""
    end = End(day=DAY, closes=CLOSES, at=at(9, 31))
    held = curve([100] * 10, invested=[0] + [100] * 9)
    assert exposure_pct(ended(held, [end])) == 50
    assert exposure_pct(held) == 90
