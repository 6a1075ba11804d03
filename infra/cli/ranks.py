"""`strategy rank`: in which order the watch list is worth looking at, and what each symbol's score is made of."""

import os
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

from infra.cli.hand import reached, show
from infra.cli.laid_out import table
from infra.operations.configuring import base_of
from infra.operations.ranks import Ranks, ranks
from infra.simulated_day.hours import day_and_time
from shared.domain.market.ranking import Part

COLUMNS = ("Rank", "Symbol", "Score", "Liquidity", "Volatility", "Momentum", "Spread", "Why")
_FIGURES: dict[str, Callable[[Decimal], str]] = {
    "liquidity": lambda value: f"${value / 1_000_000:,.0f}M",
    "volatility": lambda value: f"{value:.1f}%",
    "momentum": lambda value: f"{value:+.1f}%",
    "spread": lambda value: f"{value / 100:.3f}%",
}


def rank(profile: str, state: Path | None, *, json: bool) -> None:
    """Show the last rank that was made."""
    with reached(profile, state) as hand:
        found = ranks(hand, base_of(hand, os.environ))
    show(found, lambda: _print(found), json=json)


def _print(found: Ranks) -> None:
    table(COLUMNS, _lines(found))
    weights = ", ".join(f"{name} {weight:f}" for name, weight in found.weights.items())
    sys.stdout.write(
        f"For {found.session}, made {day_and_time(found.at)} New York. Each cell: points, and the figure behind them:\n"
        "millions of USD traded a day; how far the price goes in a day; its rise over 20 days; the spread.\n"
        f"Most points, of 100: {weights}.\n"
        f"The first {found.scanned_max} are looked at, and what is held; `strategy config` has both settings.\n"
    )


def _lines(found: Ranks) -> Iterator[tuple[object, ...]]:
    for row in found.rows:
        unknown = f"unknown: {', '.join(row.unknown)}" if row.unknown else ""
        left_out = "" if row.scanned else "not looked at"
        why = "; ".join(part for part in (left_out, unknown) if part)
        yield row.place, row.symbol, f"{row.score:.1f}", *map(_cell, row.parts), why


def _cell(part: Part) -> str:
    return "-" if part.value is None else f"{part.points:.1f}: {_FIGURES[part.name](part.value)}"
