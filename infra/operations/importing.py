"""The owner's own daily bars in a store, at home or in the cloud: brought, listed, taken back.

What can go wrong: a file is of the wrong share, or a day of it is; a second file says of the same days something else;
what was brought cannot be seen or undone. What this promises: what lies far from the day before is stored only where
the owner says that it is meant; days that were there before are counted, with the files that they came from; what is
stored can be listed, and a symbol taken out again. These documents are the owner's: only commands write them.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from infra.operations.bars_file import Imported, far, listed, read_bars
from infra.operations.profiles import Hand
from infra.simulated_day.problems import UserError
from shared.codec import decode
from shared.domain.base.calendar import new_york_day
from shared.domain.broker.tickets import SYMBOL
from shared.domain.market.series import Series, merged
from shared.errors import Malformed
from shared.frozen import frozen
from shared.ports import Delete
from shared.usecases.base.desk import put, read

MOST_BARS = 1500
"""How many bars of a symbol are kept: six years, a quarter of what a document may hold."""


@frozen
class Result:
    """What was imported of one symbol; `short` are days whose minutes are not all there, which were left out.

    `again` are days that were there before, `changed` those of them whose bar is another now, `earlier` says where they
    came from; `far` names the days that lie far from the day before, which the owner says are meant.
    """

    symbol: str
    bars: int
    first: date | None
    last: date | None
    splits: int
    dividends: int
    short: tuple[date, ...] = ()
    again: int = 0
    changed: int = 0
    earlier: str = ""
    far: tuple[str, ...] = ()


@frozen
class Kept:
    """What is stored of one symbol, from where, and when that was brought last; `wrong` says why it cannot be read."""

    symbol: str
    bars: int = 0
    first: date | None = None
    last: date | None = None
    splits: int = 0
    dividends: int = 0
    made: str = ""
    at: datetime | None = None
    wrong: str = ""


def bring(hand: Hand, path: Path, *, meant: bool = False) -> list[Result]:
    """Import a file's bars; of a day that was imported before the new bar counts. Raises UserError, StoreError."""
    refuse_simulated(hand)
    found = read_bars(path, today=new_york_day(hand.desk.clock.now()))
    if not any(one.bars for one in found.values()):
        short = sorted({(day, symbol) for symbol, one in found.items() for day in one.short})
        named = ", ".join(f"{symbol} {day}" for day, symbol in short[:5]) + (" and more" if len(short) > 5 else "")
        what = f"nothing of {path} was imported, for its minutes make no whole day: some are missing of {named}"
        raise UserError(what, remedy="what was stored before is kept; give each minute from the open to the close")
    series = {symbol: _series(symbol, one, path.name, hand) for symbol, one in found.items()}
    results = keep(hand, series, what=str(path), meant=meant)
    return [replace(one, short=tuple(sorted(found[one.symbol].short))) for one in results]


def refuse_simulated(hand: Hand) -> None:
    """Refuse bars for a market that has its own; raises UserError."""
    if hand.simulated:
        what = f"nothing was imported: the simulated market of {hand.name} has days of its own before it"
        raise UserError(what, remedy="import for a system on E*TRADE's quotes")


def keep(hand: Hand, series: Mapping[str, Series], *, what: str, meant: bool) -> list[Result]:
    """Store series beside what is there; raises UserError, and stores none, for odd prices that are not meant.

    Raises StoreDown in the middle of it; what was stored by then is stored again by the same command without harm.
    """
    ready, results, odd = dict[str, Series](), list[Result](), list[str]()
    for symbol, new in sorted(series.items()):
        held = _held(hand, symbol)
        whole = new if held is None else replace(merged([new, held]), source="file", at=new.at)
        strange = tuple(one for one in far(whole) if held is None or one not in far(held))
        odd += [f"{symbol} {one}" for one in strange]
        ready[symbol] = replace(whole, bars=whole.bars[-MOST_BARS:])
        results.append(_result(new, held, strange))
    if odd and not meant:
        remedy = "name the splits of these days, or mend the prices; where each of them is meant, say --yes"
        raise UserError(f"nothing of {what} was imported, for prices that can hardly be:{listed(odd)}", remedy=remedy)
    for symbol, whole in ready.items():
        hand.desk.store.commit([put(f"imports/{symbol}", whole)])
    return results


def kept(hand: Hand) -> list[Kept]:
    """List what is stored, by symbol."""
    return [_kept(document.path.partition("/")[2], document.data) for document in hand.desk.store.query("imports")]


def remove(hand: Hand, symbol: str) -> Kept:
    """Take a symbol's bars out, and give what they were; raises UserError where there are none."""
    name = symbol.upper()
    document = hand.desk.store.get(f"imports/{name}") if SYMBOL.fullmatch(name) else None
    if document is None:
        raise UserError(f"nothing is imported of {symbol[:30]!r}", remedy="`strategy import --list` names what is")
    hand.desk.store.commit([Delete(document.path)])
    return _kept(name, document.data)


def _held(hand: Hand, symbol: str) -> Series | None:
    """Read what is stored of a symbol; raises UserError for what cannot be read, which is written over by nobody."""
    try:
        held = read(hand.desk.store, Series, f"imports/{symbol}")
    except Malformed as wrong:
        what = f"nothing was imported: what is stored of {symbol} cannot be read ({wrong.detail})"
        raise UserError(what, remedy=f"take it out first: `strategy import --remove {symbol}`") from None
    return None if held is None else held.value


def _kept(symbol: str, data: object) -> Kept:
    try:
        series = decode(Series, data)
    except Malformed as wrong:
        return Kept(symbol=symbol, wrong=wrong.detail)
    days = [bar.day for bar in series.bars]
    return Kept(
        symbol=symbol, bars=len(days), first=min(days, default=None), last=max(days, default=None),
        splits=len(series.splits), dividends=len(series.dividends), made=series.made, at=series.at,
    )  # fmt: skip


def _series(symbol: str, one: Imported, name: str, hand: Hand) -> Series:
    return Series(
        symbol=symbol, bars=tuple(one.bars[day] for day in sorted(one.bars)), source="file",
        made=f"imported from {name[:100]}", at=hand.desk.clock.now(), splits=tuple(one.splits),
        dividends=tuple(one.dividends),
    )  # fmt: skip


def _result(new: Series, held: Series | None, strange: tuple[str, ...]) -> Result:
    days = [bar.day for bar in new.bars]
    before = {} if held is None else {bar.day: bar for bar in held.bars}
    again = [bar for bar in new.bars if bar.day in before]
    return Result(
        symbol=new.symbol, bars=len(days), first=min(days, default=None), last=max(days, default=None),
        splits=len(new.splits), dividends=len(new.dividends), again=len(again),
        changed=sum(bar != before[bar.day] for bar in again), earlier=held.made if held is not None and again else "",
        far=strange,
    )  # fmt: skip
