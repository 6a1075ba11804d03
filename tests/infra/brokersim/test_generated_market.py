"""A generated day is the same everywhere and looks enough like a market to trade in."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from infra.brokersim.generated import HISTORY_BARS, SYMBOL_COUNT
from infra.brokersim.market import Market, Row, daily_bars, open_market

ROOT = Path(__file__).resolve().parents[3]
MIDNIGHT = datetime(2013, 3, 4, 5, tzinfo=UTC)
OPEN = datetime(2013, 3, 4, 14, 30, tzinfo=UTC)
PRINT_A_DAY = """
import hashlib
from datetime import UTC, datetime
from infra.brokersim.market import daily_bars, open_market
market, digest = open_market("generated", seed=5), hashlib.sha256()
for symbol in ("IBM", "ZXAA", "ZXCC"):
    for row in market.rows(symbol, datetime(2013, 3, 4, tzinfo=UTC), datetime(2013, 3, 5, tzinfo=UTC)):
        digest.update(repr(row).encode())
    digest.update(repr(daily_bars("generated", seed=5)[symbol]).encode())
print(digest.hexdigest(), market.symbols[:10])
"""


@pytest.fixture(scope="module")
def market() -> Market:
    return open_market("generated", seed=7)


def day_of(market: Market, symbol: str) -> list[Row]:
    return list(market.rows(symbol, MIDNIGHT, MIDNIGHT + timedelta(days=1)))


def test_the_day_does_not_depend_on_the_hash_seed() -> None:
    """The day does not depend on the hash seed."""
    both = [
        subprocess.Popen(  # noqa: S603 - our own interpreter with our own text
            [sys.executable, "-c", PRINT_A_DAY],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for hash_seed in ("1", "4242")
    ]
    printed = {one.communicate()[0] for one in both}
    assert [one.returncode for one in both] == [0, 0]
    assert len(printed) == 1


def test_another_seed_is_another_day(market: Market) -> None:
    """Another seed is another day."""
    assert day_of(market, "IBM") != day_of(open_market("generated", seed=8), "IBM")


def test_every_symbol_is_named_once_and_has_the_same_history(market: Market) -> None:
    """Every symbol is named once and has the same history."""
    assert len(set(market.symbols)) == len(market.symbols) == SYMBOL_COUNT
    bars = daily_bars("generated", seed=7)
    assert set(bars) == set(market.symbols)
    for symbol, own in bars.items():
        assert len(own) == HISTORY_BARS
        assert own[-1].date < market.day
        assert [bar.date for bar in own] == sorted({bar.date for bar in own})
        assert own[-1].close == market.previous_close(symbol)
        assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in own)


@pytest.mark.parametrize("symbol", ["IBM", "ZXAA", "FB", "ZXDZ"])
def test_rows_are_a_believable_tape(market: Market, symbol: str) -> None:
    """Rows are a believable tape."""
    rows = day_of(market, symbol)
    assert rows[0].at == OPEN - timedelta(minutes=30)
    assert 5_000 < len(rows) <= 25_261
    assert all(row.bid < row.ask and row.bid_size >= 100 and row.ask_size % 100 == 0 for row in rows)
    assert all(before.at < after.at and before[1:] != after[1:] for before, after in pairwise(rows))
    assert all(before.day_volume <= after.day_volume for before, after in pairwise(rows))
    assert all(5 <= row.last <= 1_000 and row.last == round(row.last, 2) for row in rows)
    spreads = [float((row.ask - row.bid) / row.ask) * 1e4 for row in rows if row.at >= OPEN]
    assert 1 <= sum(spreads) / len(spreads) <= 10
    assert rows[-1].day_volume >= 1_000_000


def test_the_middle_of_the_day_is_quieter_than_its_ends(market: Market) -> None:
    """The middle of the day is quieter than its ends."""
    rows = day_of(market, "AAPL")

    def volume(start_minute: int) -> int:
        start = OPEN + timedelta(minutes=start_minute)
        within = [row.day_volume for row in rows if start <= row.at < start + timedelta(minutes=30)]
        return within[-1] - within[0]

    assert volume(0) > volume(180) < volume(360)


def test_the_first_ten_symbols_hold_breakouts_to_trade(market: Market) -> None:
    """The first ten symbols hold breakouts to trade."""
    broke_out = 0
    for symbol in market.symbols[:10]:
        rows = [row for row in day_of(market, symbol) if row.at >= OPEN]
        range_high = max(row.last for row in rows if row.at < OPEN + timedelta(minutes=15))
        risen = market.previous_close(symbol) * 102 / 100
        later = (row for row in rows if row.at >= OPEN + timedelta(minutes=15))
        broke_out += any(row.last >= max(range_high * 1001 / 1000, risen) for row in later)
    assert 3 <= broke_out <= 6
