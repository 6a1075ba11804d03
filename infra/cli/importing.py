"""`strategy import`: a file's bars become a source of daily bars, and the owner reads what was taken of it."""

import sys
from pathlib import Path

from infra.cli.hand import reached, show
from infra.owner import importing
from infra.owner.importing import Result

_NEXT = "They are used from the next sign-in or the next morning at 07:00 on, whichever comes first.\n"


def import_bars(file: Path, profile: str, state: Path | None, *, json: bool) -> None:
    """Import a file; raises UserError where a line of it is not clean, and then nothing was imported."""
    with reached(profile, state) as hand:
        results = importing.bring(hand, file)
    show(results, lambda: tell(results), json=json)


def tell(results: list[Result]) -> None:
    """Say what was taken of each symbol, and what of it was left out."""
    for one in results:
        days = f"{one.bars} daily bars" + (f", {one.first} to {one.last}" if one.bars else "")
        events = [f"{count} {name}" for count, name in ((one.splits, "splits"), (one.dividends, "dividends")) if count]
        sys.stdout.write(f"{one.symbol}: {', '.join([days, *events])}\n")
        if one.short:
            some = ", ".join(day.isoformat() for day in one.short[:5])
            sys.stdout.write(f"{one.symbol}: left out, for minutes are missing: {len(one.short)} days ({some})\n")
    sys.stdout.write(_NEXT)
