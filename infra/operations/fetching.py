"""Daily bars asked of a source outside from home, and kept in the owner's store as those of a file are.

What can go wrong: a source refuses at the eightieth symbol, gives what cannot be, or knows nothing of one. What this
promises: each symbol stands for itself. What was kept stays kept, and each other one is named with why; after a refusal
nothing more is asked. What is kept passes the checks of `strategy import` and lies in the same place, so the cloud's
store is filled from a home whose address the source serves.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from infra.operations import importing
from infra.operations.importing import Result
from infra.operations.profiles import Hand
from infra.simulated_day.problems import UserError
from shared.domain.market.series import Series, unsound
from shared.errors import SourceError, SourceRefused, Unreadable
from shared.frozen import frozen
from shared.ports import HistorySource
from shared.sources.alpaca import Alpaca, AlpacaKey
from shared.sources.yahoo import Yahoo
from shared.topology import ALPACA_KEY
from shared.wiring.keys import stored_key


@frozen
class Fetched:
    """What came of one symbol: its series, and what was kept of it; or why there is none, in `wrong`."""

    symbol: str
    series: Series | None = None
    kept: Result | None = None
    wrong: str = ""


def source_of(hand: Hand, name: str) -> HistorySource:
    """Give a source by its name; raises UserError without a key for one that needs it, ConfigError for a wrong one."""
    if name == Yahoo.name:
        return Yahoo(clock=hand.desk.clock)
    stored = stored_key(hand.open_vault(), ALPACA_KEY, AlpacaKey)
    if stored is None:
        remedy = "store one, which Alpaca gives for nothing: `strategy secrets set alpaca-key`; or ask --source yahoo"
        raise UserError(f"there is no key of Alpaca's in the vault of {hand.name}", remedy=remedy)
    _, key = stored
    return Alpaca(key, clock=hand.desk.clock)


def fetch(
    hand: Hand, source: HistorySource, symbols: Sequence[str], *, start: date, before: date, save: bool, meant: bool
) -> Iterator[Fetched]:
    """Ask for each symbol's daily bars from `start` on and strictly before a day, and keep them where that is wanted.

    Prices that can hardly be are kept only where they are `meant`. Raises UserError for a simulated market, StoreError.
    """
    importing.refuse_simulated(hand)
    refused = ""
    for symbol in symbols:
        if refused:
            yield Fetched(symbol=symbol, wrong=f"not asked: {refused}")
            continue
        try:
            found = source.daily(symbol, start=start, before=before)
        except SourceRefused as no:
            refused = no.detail
            yield Fetched(symbol=symbol, wrong=no.detail)
        except (SourceError, Unreadable) as problem:
            yield Fetched(symbol=symbol, wrong=problem.detail)
        else:
            yield _one(hand, symbol, found, before=before, save=save, meant=meant)


def _one(
    hand: Hand, symbol: str, found: Series | None, *, before: date, save: bool, meant: bool
) -> Fetched:  # fmt: skip
    if found is None or not found.bars:
        return Fetched(symbol=symbol, wrong="the source has no bar of it in this range")
    if (wrong := unsound(found, before=before)) is not None:
        return Fetched(symbol=symbol, wrong=f"the source gave what cannot be: {wrong}")
    if not save:
        return Fetched(symbol=symbol, series=found)
    mine = replace(found, source="file", made=f"asked of {found.source} from home: {found.made}")
    try:
        (kept,) = importing.keep(hand, {symbol: mine}, what=f"{found.source}'s bars", meant=meant)
    except UserError as odd:
        return Fetched(symbol=symbol, wrong=f"{odd.what} ({odd.remedy})")
    return Fetched(symbol=symbol, series=found, kept=kept)
