"""The figures of a day: their names, their kinds, and how durations are summarised."""

import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from infra.simulated_day.facts import trades_of
from infra.simulated_day.journal import JournalTail
from infra.simulated_day.ledger import read_ledger
from infra.simulated_day.timing import spread, timing
from tests.simulated_day.sample import HOURS, Sample, at, quiet_day, result_of

KEYS = [
    "ticks",
    "quotes",
    "signals",
    "intents",
    "orders",
    "fills",
    "open_positions",
    "blind_s",
    "unquoted_s",
    "unseen_s",
    "network",
    "realized_pnl",
    "broker_calls",
    "cache",
    "violations",
    "wall_s",
    "peak_rss_mb",
]


def test_the_json_has_exactly_the_promised_keys() -> None:
    """The JSON has the promised keys and no other, counts are integers, the profit is decimal text."""
    plain = result_of(quiet_day(), Path()).summary.plain()
    assert list(plain) == KEYS
    assert all(type(plain[name]) is int for name in KEYS[:10])
    assert Decimal(plain["realized_pnl"]).as_tuple().exponent == -2
    assert sorted(plain["cache"]) == ["asked", "served"]
    assert (plain["orders"], plain["fills"], plain["intents"], plain["signals"]) == (6, 4, 7, 3)


def test_the_memory_told_is_this_program_s_own() -> None:
    """A day that a process of 400 MB starts is told with its own memory, not with that of who started it."""
    mine = bytearray(b"1") * (400 * 1024 * 1024)
    line = "from infra.simulated_day.summary import peak_rss_mb; print(peak_rss_mb())"
    told = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert 1 < float(told.stdout) < len(mine) / (2 * 1024 * 1024)


@pytest.mark.parametrize(("count", "p50", "p99"), [(1, 1, 1), (2, 1, 2), (100, 50, 99), (101, 51, 100)])
def test_percentiles_are_nearest_rank(count: int, p50: float, p99: float) -> None:
    """A percentile is a duration that was measured, never one between two."""
    summary = spread([float(value) for value in range(count, 0, -1)])
    assert (summary.count, summary.p50, summary.p99) == (count, p50, p99)


def test_no_durations_are_an_error() -> None:
    """There is no percentile of nothing."""
    with pytest.raises(ValueError, match="no durations"):
        spread([])


def test_the_queue_ahead_is_counted() -> None:
    """A signal that waits while two others are placed has two intents ahead of it."""
    day = Sample()
    for symbol in ("AIG", "BAC", "IBM"):
        day.trade(symbol, at=at(10, 0), held=timedelta(minutes=30), quantity=10)
    book, ledger = day.book(), day.ledger()
    entries = [order.client_order_id for order in ledger.orders if order.action == "BUY"]
    waits = dict(zip(entries, (1, 3, 5), strict=True))
    placed = [
        {**_plain(order), "placed_at": at(10, 0, waits.get(order.client_order_id, 40))} for order in ledger.orders
    ]
    moved = read_ledger({**_plain(ledger), "orders": placed})
    assert {ahead: ages.p99 for ahead, ages in timing(moved, book, HOURS).signal_age.items()} == {
        0: 1,
        1: 3,
        2: 5,
    }


def test_a_denied_intent_was_ahead_too() -> None:
    """An intent that was denied while a signal waited had its turn before it."""
    day = Sample()
    day.denied("BAC", at=at(10, 0), codes=("COOLDOWN_SYMBOL",))
    day.trade("IBM", at=at(10, 0), held=timedelta(minutes=30), quantity=10)
    ledger = day.ledger()
    placed = [{**_plain(order), "placed_at": at(10, 0, 3 if order.action == "BUY" else 40)} for order in ledger.orders]
    moved = read_ledger({**_plain(ledger), "orders": placed})
    assert list(timing(moved, day.book(), HOURS).signal_age) == [1]


def test_trades_are_counted_by_position() -> None:
    """A trade has the simulator's times, the book's prices and the reason of its exit."""
    day = quiet_day()
    first, second = trades_of(day.book(), day.ledger())
    assert [first.symbol, second.symbol] == ["IBM", "AIG"]
    assert (first.entered_at, first.left_at, first.exit_reason) == (at(10, 5, 2), at(10, 57, 1), "target")
    assert first.exit_price is not None
    assert first.realized == (first.exit_price - first.entry_price) * 54


def test_the_journal_is_read_as_it_grows(tmp_path: Path) -> None:
    """A half-written line is counted once it is whole, and what is no line at all is passed over."""
    path = tmp_path / "journal.jsonl"
    tail = JournalTail(path)
    assert tail.read().ticks == 0
    path.write_text('{"event":"minute_scanned","ticks":59,"quotes":236}\n{"event":"cache","asked":4,"ser')
    assert (tail.read().ticks, tail.counts.quotes, tail.counts.asked) == (59, 236, 0)
    with path.open("a") as file:
        file.write('ved":3}\nnoise\n{"event":"crash","severity":"CRITICAL","function":"market_scan"}\n')
        file.write('{"event":"undeclared_access","severity":"CRITICAL","function":"f","what":"READ on x"}\n')
    counts = tail.read()
    assert (counts.asked, counts.served, counts.crashed) == (4, 3, True)
    assert counts.undeclared == ["f has no right to READ on x"]
    assert dict(counts.troubles) == {"market_scan: crash": 1}


def _plain(value: object) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}  # type: ignore[attr-defined]
