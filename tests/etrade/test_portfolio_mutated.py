"""Portfolios in which anything may be damaged: what is sound is counted, what is not is named, nothing is invented."""

import json
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from shared.domain.broker.brokerage import Holding
from shared.errors import Unreadable
from shared.etrade import parse_accounts
from tests.etrade import samples
from tests.etrade.mutations import mutated
from tests.etrade.test_rows_mutated import figure, stated

FAST, LONG = 2_000, 100_000
PARTS = 10
Read = Callable[[bytes], tuple[Holding, ...]]
SOUND = samples.position(1, "SAFE", 98)


def read(raw: bytes) -> tuple[Holding, ...]:
    """Read a portfolio of one page."""
    return parse_accounts.holdings(parse_accounts.portfolio(raw).positions)


def shares(row: Any) -> Decimal | None:
    """Give the whole shares of stock that a row states, as a person would read it."""
    quantity = figure(stated(row, "quantity"))
    return quantity if stated(row, "Product", "securityType") == "EQ" else None


def check(seed: int, reading: Read) -> int:
    """Check one portfolio of a sound row and damaged ones; gives how many rows were odd."""
    chance = Random(f"portfolio/{seed}")
    rows: list[Any] = []
    for number in range(chance.randint(1, 6)):
        row = samples.position(10 + number, f"SYM{number}", chance.choice((5, -3, 10.7)))
        rows += mutated([row], chance, changes=chance.randint(0, 3))
    rows.insert(chance.randint(0, len(rows)), SOUND)
    found = reading(json.dumps(samples.portfolio(*rows)).encode())
    assert Holding(symbol="SAFE", quantity=98, cost_per_share=Decimal("29.9052")) in found, seed
    plain = {one.symbol: one.quantity for one in found if not one.odd}
    for symbol, quantity in plain.items():
        same = [shares(row) or 0 for row in rows if str(stated(row, "Product", "symbol")).upper() == symbol]
        assert quantity in (sum(same), *same), seed
    for row in rows:
        symbol = stated(row, "Product", "symbol")
        if isinstance(symbol, str) and symbol.startswith("SYM"):
            assert any(one.symbol == symbol for one in found), (seed, symbol)
    return sum(bool(one.odd) for one in found)


def _check_all(seeds: range, reading: Read) -> int:
    return sum(check(seed, reading) for seed in seeds)


def test_a_damaged_portfolio_hides_no_sound_row_and_invents_no_shares() -> None:
    """Of any damaged portfolio the sound row is counted, plain rows state their shares, and each symbol is seen."""
    assert _check_all(range(FAST), read) > FAST


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_a_hundred_thousand_damaged_portfolios(part: int) -> None:
    """The same over a hundred thousand portfolios."""
    assert _check_all(range(part * LONG // PARTS, (part + 1) * LONG // PARTS), read)


def _only_if_all_are_plain(raw: bytes) -> tuple[Holding, ...]:
    found = read(raw)
    if any(one.odd for one in found):
        raise Unreadable("one row is odd")
    return found


def _leaves_odd_rows_out(raw: bytes) -> tuple[Holding, ...]:
    return tuple(one for one in read(raw) if not one.odd)


@pytest.mark.parametrize("mistaken", [_only_if_all_are_plain, _leaves_odd_rows_out])
def test_both_promises_can_be_broken(mistaken: Read) -> None:
    """A reading that gives up at an odd row, or leaves it out, is found at once."""
    with pytest.raises((AssertionError, Unreadable)):
        _check_all(range(50), mistaken)
