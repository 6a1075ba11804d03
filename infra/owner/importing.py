"""Bring the bars of a file into a store, at home or in the cloud: documents that only the owner's commands write."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from infra.day.problems import UserError
from infra.owner.bars_file import Imported, read_bars
from infra.owner.profiles import Hand
from shared.domain.calendar import new_york_day
from shared.domain.series import Series, merged
from shared.usecases.desk import put, read

MOST_BARS = 1500
"""How many bars of a symbol are kept: six years, a quarter of what a document may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was imported of one symbol; `short` are days whose minutes are not all there, which were left out."""

    symbol: str
    bars: int
    first: date | None
    last: date | None
    splits: int
    dividends: int
    short: tuple[date, ...]


def bring(hand: Hand, path: Path) -> list[Result]:
    """Import a file's bars; of a day that was imported before the new bar counts. Raises UserError, StoreError."""
    if hand.simulated:
        what = f"nothing was imported: the simulated market of {hand.name} has days of its own before it"
        raise UserError(what, remedy="import for a system on E*TRADE's quotes")
    at = hand.desk.clock.now()
    found = read_bars(path, today=new_york_day(at))
    results = []
    for symbol, one in sorted(found.items()):
        new = _series(symbol, one, path.name, hand)
        held = read(hand.desk.store, Series, f"imports/{symbol}")
        whole = new if held is None else replace(merged([new, held.value]), source="file", at=at)
        hand.desk.store.commit([put(f"imports/{symbol}", replace(whole, bars=whole.bars[-MOST_BARS:]))])
        results.append(_result(symbol, one))
    return results


def _series(symbol: str, one: Imported, name: str, hand: Hand) -> Series:
    return Series(
        symbol=symbol, bars=tuple(one.bars[day] for day in sorted(one.bars)), source="file",
        made=f"imported from {name[:100]}", at=hand.desk.clock.now(), splits=tuple(one.splits),
        dividends=tuple(one.dividends),
    )  # fmt: skip


def _result(symbol: str, one: Imported) -> Result:
    days: Mapping[date, object] = one.bars
    return Result(
        symbol=symbol, bars=len(days), first=min(days, default=None), last=max(days, default=None),
        splits=len(one.splits), dividends=len(one.dividends), short=tuple(sorted(one.short)),
    )  # fmt: skip
