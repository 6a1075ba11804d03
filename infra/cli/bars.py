"""What `strategy history` shows: a table, CSV or JSON of the bars, and beside it where they are from and what lacks."""

import csv as files
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from infra.cli.exits import say
from infra.cli.hand import reached, show
from infra.cli.laid_out import table
from infra.operations.bars_file import DAILY, EVENTS, INSTANTS
from infra.operations.market import market_data
from infra.simulated_day.hours import NEW_YORK, day_and_time
from infra.simulated_day.problems import UserError
from shared.domain.base.calendar import new_york_day
from shared.domain.market.bars import Bar, DailyBar, Interval
from shared.domain.market.intervals import Bars
from shared.domain.market.known import Known
from shared.domain.telling.wording import count

USUAL = timedelta(days=30)
_SHOWN = 5
_COLUMNS = ("Open", "High", "Low", "Close", "Volume")


def history(
    symbol: str, *, first: str | None, last: str | None, interval: Interval, profile: str, state: Path | None,
    csv: bool, json: bool,
) -> None:  # fmt: skip
    """Show the bars of a symbol; raises UserError where there are none, with where they come from."""
    require_one_form(csv=csv, json=json)
    with reached(profile, state) as hand:
        end = new_york_day(hand.desk.clock.now()) if last is None else day(last)
        start = end - USUAL if first is None else day(first)
        try:
            found = market_data(hand).history(symbol.upper(), start, end, interval)
        except ValueError as wrong:
            raise UserError(
                str(wrong), remedy="give a symbol and days such as --from 2026-09-01 --to 2026-09-30"
            ) from None
    if found.value is None:
        raise _none(symbol.upper(), start, end, interval, found.reasons)
    held = found.value
    show(found, lambda: csv_of([held]) if csv else table_of(held), json=json)
    _say(found, held, start, end, chosen=first is not None)


def require_one_form(*, csv: bool, json: bool) -> None:
    """Refuse two forms at once; raises UserError."""
    if csv and json:
        raise UserError("--csv and --json exclude each other", remedy="leave one out")


def day(text: str) -> date:
    """Read a day as it was typed; raises UserError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UserError(f"{text[:30]!r} is no day", remedy="write it as 2026-09-30") from None


def _none(symbol: str, start: date, end: date, interval: Interval, reasons: Iterable[str]) -> UserError:
    """Say that there are no bars, and who would bring some."""
    why = "; ".join(list(reasons)[:_SHOWN])
    what = f"there are no {interval} bars of {symbol} from {start} to {end}{f' ({why})' if why else ''}"
    if interval is Interval.DAY:
        remedy = (
            "`strategy import FILE` brings some; market_history gathers those of the watch list before each session"
        )
    else:
        remedy = "they are what the scan saw of the watch list: let it see a session, or ask for --interval 1d"
    return UserError(what, remedy=remedy)


def table_of(held: Bars) -> None:
    """Print bars as a table."""
    when = "Day" if held.interval is Interval.DAY else "Until (New York)"
    rows = ((_when(bar), bar.open, bar.high, bar.low, bar.close, f"{bar.volume:,}") for bar in held.bars)
    table((when, *_COLUMNS), rows)


def _when(bar: Bar | DailyBar) -> str:
    return bar.day.isoformat() if isinstance(bar, DailyBar) else f"{bar.end.astimezone(NEW_YORK):%Y-%m-%d %H:%M}"


def csv_of(many: Sequence[Bars]) -> None:
    """Write bars of one interval as `strategy import` reads them."""
    paper = files.writer(sys.stdout, lineterminator="\n")
    daily = all(held.interval is Interval.DAY for held in many)
    paper.writerow((*DAILY, *EVENTS) if daily else (INSTANTS[1], *DAILY[1:]))
    for held in many:
        paper.writerows(_rows(held))


def _rows(held: Bars) -> Iterator[tuple[object, ...]]:
    splits = {one.day: one.ratio for one in held.splits}
    paid = {one.day: one.usd for one in held.dividends}
    for bar in held.bars:
        figures = (held.symbol, bar.open, bar.high, bar.low, bar.close, bar.volume)
        if isinstance(bar, DailyBar):
            yield bar.day, *figures, splits.get(bar.day, ""), paid.get(bar.day, "")
        else:
            yield f"{bar.end:%Y-%m-%dT%H:%M:%SZ}", *figures


def _say(found: Known[Bars], held: Bars, start: date, end: date, *, chosen: bool) -> None:
    """Say where the bars are from, how old they are, which days are shown, what happened to the share, what lacks."""
    as_of = "" if found.at is None else f", as of {day_and_time(found.at)} New York"
    say(f"Source: {found.source} ({found.made}){as_of}.")
    bars = f"{count(len(held.bars), 'price bar')} of {held.interval} from {start} to {end}"
    say(f"{bars}{'' if chosen else f', the last {USUAL.days} days: --from DAY shows earlier ones'}.")
    for split in held.splits:
        say(f"Split: from {split.day} on one share of before is {split.ratio}; no price here is adjusted for it.")
    for reason in found.reasons[:_SHOWN]:
        say(f"{reason[:1].upper()}{reason[1:]}.")
    if len(found.reasons) > _SHOWN:
        say(f"And {len(found.reasons) - _SHOWN} more of these: --json has them all.")
