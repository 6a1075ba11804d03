"""The reading of ticks from a journal: which request was whose tick's, and how late."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.brokersim.market import daily_bars, open_market
from infra.brokersim.tape import new_york
from infra.simulated_day.environment import watch_list
from shared.usecases.scanning.scan import TICKS
from tests.benchmarks import wide_market
from tests.benchmarks.drift import Asked, drift, lateness, minute, scanned
from tests.benchmarks.sizes import shares
from tests.benchmarks.tick_drift import Row, table

TRACE = "logging.googleapis.com/trace"
BEGINS = datetime(2026, 11, 23, 14, 31, tzinfo=UTC)


def after(seconds: Iterable[float]) -> list[datetime]:
    """Give instants of the minute."""
    return [BEGINS + timedelta(seconds=one) for one in seconds]


def tick(sent: datetime) -> Asked:
    """Give the one request of a tick."""
    return Asked(at=sent, ms=20, attempt=1, symbols=10)


def call(sent: datetime, *, ms: int = 20, attempt: int = 1, **fields: Any) -> dict[str, Any]:
    """Give the journal line of a call, which is written when its answer has come."""
    at = (sent + timedelta(milliseconds=ms)).isoformat()
    line = {"event": "broker_call", "at": at, "ms": ms, "attempt": attempt, "endpoint": "quotes", "symbols": 10}
    return line | {TRACE: "this"} | fields


def ended(begins: datetime, *, trace: str) -> dict[str, Any]:
    """Give the journal line of a minute that was scanned."""
    return {"event": "minute_scanned", "minute": begins.isoformat(), TRACE: trace}


def test_a_whole_minute_has_the_lateness_of_each_tick() -> None:
    """With a request for every tick each is compared with its own second, also when it comes in the next one."""
    late = [1.25 if second in (7, 8) else 0.002 * second for second in range(TICKS)]
    assert lateness(BEGINS, after(second + late[second] for second in range(TICKS))) == tuple(
        pytest.approx(1_000 * one) for one in late
    )


def test_a_tick_that_was_left_out_makes_no_other_late() -> None:
    """After a tick was left out the next ones are compared with seconds of their own."""
    assert lateness(BEGINS, after([0.01, 1.9, 3.02, 4.0])) == (10, 900, 20, 0)


def test_a_catch_up_is_late_for_the_second_before() -> None:
    """Of two requests in one second the first was late for the second before."""
    assert lateness(BEGINS, after([5.01, 7.1, 7.3])) == (10, 1_100, 300)


def test_more_ticks_than_seconds_are_refused() -> None:
    """Requests that no seconds are left for are an error, not a figure."""
    with pytest.raises(ValueError, match="2 ticks in the minute 2026-11-23T14:31"):
        lateness(BEGINS, after([0.1, 0.9]))


def test_only_the_first_request_of_a_tick_counts() -> None:
    """Neither a repetition, nor a further call beside a first one, nor a call of another endpoint is a tick."""
    at = after([0.5, 1.5, 2.5, 2.9, 3.3, 4.5, 5.5])
    lines = [
        call(at[0]), call(at[1], attempt=2), call(at[3], symbols=50, call=2), call(at[2], symbols=50, call=1),
        call(at[4], symbols=18, ms=40, call=3), call(at[5], endpoint="accounts"), call(at[6]),
        ended(BEGINS, trace="this"),
    ]  # fmt: skip
    seen = minute(BEGINS, scanned(lines)[BEGINS], cpu_s=3.0)
    assert list(seen.late_ms) == [500, 500, 500]
    assert (seen.calls, list(seen.quote_ms), seen.cpu_s) == (7, [20, 20, 20, 20, 40, 20], 3.0)


def test_a_minute_is_of_both_who_looked_at_it() -> None:
    """Requests of whoever went on into a minute until somebody held it belong to that minute, before its own."""
    at, following = after([59.0, 60.0, 61.0, 62.0]), BEGINS + timedelta(minutes=1)
    lines = [
        call(at[0]), ended(BEGINS, trace="this"), call(at[1]), call(at[2]),
        ended(following, trace="this") | {"event": "scan_handed_over"},
        call(at[3]) | {TRACE: "next"}, ended(following, trace="next"),
    ]  # fmt: skip
    assert {begins: [one.at for one in asked] for begins, asked in scanned(lines).items()} == {
        BEGINS: [at[0]], following: [at[1], at[2], at[3]],
    }  # fmt: skip


def test_a_minute_that_overran_takes_nothing_from_the_next() -> None:
    """Requests belong to the minute whose message caused them, and those of a minute that never ended to none."""
    at, following = after([58.0, 60.3, 60.1, 61.0, 120.0]), BEGINS + timedelta(minutes=1)
    lines = [
        call(at[0]), call(at[2]) | {TRACE: "next"}, call(at[1]), ended(BEGINS, trace="this"),
        call(at[3]) | {TRACE: "next"}, call(at[4]) | {TRACE: "third"}, ended(following, trace="next"),
    ]  # fmt: skip
    seen = scanned(lines)
    assert {begins: [one.at for one in asked] for begins, asked in seen.items()} == {
        BEGINS: [at[0], at[1]],
        following: [at[2], at[3]],
    }
    assert list(minute(BEGINS, seen[BEGINS], cpu_s=1.0).late_ms) == [0, 1_300]


def test_figures_are_of_all_ticks_and_of_a_mean_minute() -> None:
    """Lateness is of all ticks together, what is used and asked is of one minute, and a minute's loss is not hidden."""
    whole = minute(BEGINS, [tick(one) for one in after(range(TICKS))], cpu_s=2.0)
    short = minute(BEGINS, [tick(one) for one in after(second + 0.9 for second in range(4))], cpu_s=4.0)
    seen = drift([whole, short])
    assert (seen.minutes, seen.ticks, seen.fewest_ticks) == (2, (TICKS + 4) / 2, 4)
    assert (seen.late_p50_ms, seen.late_p99_ms, seen.latest_ms) == (0, 900, 900)
    assert (seen.cpu_s, seen.calls, seen.quote_p50_ms) == (3.0, (TICKS + 4) / 2, 20)


def test_every_share_has_a_row() -> None:
    """The table has a row for each share, and the topology's own share is among those that it names."""
    seen = drift([minute(BEGINS, [tick(one) for one in after([0.1, 1.1])], cpu_s=1.0)])
    rows = [Row(share=one, drift=seen, minutes=(), usd_a_month=None, note="") for one in (None, *shares("topology"))]
    assert table(rows).row_count == len(rows)
    assert {0.333, 1.0} <= set(shares("topology"))
    assert shares("0.25,1") == (0.25, 1.0)


def test_a_wide_market_is_the_generated_one(tmp_path: Path) -> None:
    """A desk watches as many symbols as were asked for, with the quotes and the bars of the generated day."""
    path = wide_market.write(tmp_path, symbols=12, seed=8, starts=time(9, 29), minutes=3)
    wide, whole = open_market(str(path), seed=8), open_market("generated", seed=8)
    watched = watch_list(str(path), wide.symbols)
    assert sorted(watched) == sorted(whole.symbols[:12])
    bars = daily_bars("generated", seed=8)
    assert daily_bars(str(path), seed=8) == {symbol: bars[symbol] for symbol in watched}
    for at in (new_york(wide.day, time(9, 29)), new_york(wide.day, time(9, 31, 30))):
        assert [wide.quote(one, at) for one in watched] == [whole.quote(one, at) for one in watched]
