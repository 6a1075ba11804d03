"""`strategy import`: a file's bars become a source of daily bars; the owner reads what was taken, lists and removes."""

import sys
from collections.abc import Sequence
from pathlib import Path

from infra.cli.exits import say
from infra.cli.hand import reached, show
from infra.operations import importing
from infra.operations.bars_rows import is_parquet
from infra.operations.importing import Kept, Result
from infra.simulated_day.hours import day_and_time
from infra.simulated_day.problems import UserError
from infra.tools.extras import ready
from shared.domain.telling.wording import count

NEXT = "They are used from the next sign-in or the next morning at 07:00 on, whichever comes first.\n"
_GONE = "From the next sign-in or the next morning at 07:00 on they are not used; what was gathered is until then.\n"


def imports(
    file: Path | None, profile: str, state: Path | None, *, listing: bool, remove: str | None, yes: bool, json: bool
) -> None:  # fmt: skip
    """Import a file, list what was imported or take a symbol out; raises UserError where none or several are asked."""
    if (file is not None) + listing + (remove is not None) != 1:
        raise UserError("this needs one of a file, --list and --remove", remedy="strategy import bars.csv")
    with reached(profile, state) as hand:
        if file is not None:
            if is_parquet(file):
                ready("parquet", say=say)
            results = importing.bring(hand, file, meant=yes)
            show(results, lambda: tell(results), json=json)
        elif remove is not None:
            gone = importing.remove(hand, remove)
            show(gone, lambda: sys.stdout.write(f"Taken out: {_line(gone)}\n{_GONE}"), json=json)
        else:
            kept = importing.kept(hand)
            show(kept, lambda: sys.stdout.write(_table(kept)), json=json)


def tell(results: Sequence[Result]) -> None:
    """Say what was taken of each symbol, and what of it was left out, replaced or is far from the day before."""
    for one in results:
        sys.stdout.write(f"{one.symbol}: {_days(one)}\n")
        if one.again:
            some = f"{one.changed} of them are another now" if one.changed else "all of them are the same"
            sys.stdout.write(f"{one.symbol}: {one.again} of these days were there before ({one.earlier}): {some}\n")
        if one.short:
            days = ", ".join(day.isoformat() for day in one.short[:5])
            short = count(len(one.short), "day")
            sys.stdout.write(f"{one.symbol}: left out, for minutes are missing: {short} ({days})\n")
        for odd in one.far:
            sys.stdout.write(f"{one.symbol}: taken as meant: {odd}\n")
    sys.stdout.write(NEXT)


def _days(one: Result | Kept) -> str:
    days = count(one.bars, "daily bar") + (f", {one.first} to {one.last}" if one.bars else "")
    events = [count(many, name) for many, name in ((one.splits, "split"), (one.dividends, "dividend")) if many]
    return ", ".join([days, *events])


def _line(one: Kept) -> str:
    if one.at is None:
        return f"{one.symbol}: cannot be read ({one.wrong}); `strategy import --remove {one.symbol}` takes it out"
    return f"{one.symbol}: {_days(one)}; {one.made}, last on {day_and_time(one.at)} New York"


def _table(kept: Sequence[Kept]) -> str:
    return "".join(f"{_line(one)}\n" for one in kept) or "Nothing is imported.\n"
