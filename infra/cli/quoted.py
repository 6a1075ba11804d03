"""How quotes are shown: a table, a table that is drawn anew each second, or plain lines where nobody sits before it.

What can go wrong: an old price stands there as if it were alive; a broker's text moves the cursor; the reader of a pipe
is gone and the asking goes on; a round takes longer than a second. What this promises: every row says its age, and what
is not E*TRADE's answer of now is marked; nothing is asked more often than once a second, nor while the answer before is
not there; it ends with Ctrl-C, with the token, or with whoever reads.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal

from rich.console import Console, Group
from rich.text import Text

from infra.cli import redrawn
from infra.cli.laid_out import grid
from infra.cli.redrawn import Wait
from infra.operations.tables import QuoteRow, Quotes
from infra.results.words import price
from infra.simulated_day.hours import clock, day_and_time

COLUMNS = ("Symbol", "Bid", "Ask", "Last", "Volume", "Age", "Delay", "Quality", "Why")
EVERY_S = 1.0


def lines(found: Quotes) -> Iterator[tuple[object, ...]]:
    """Give a row for each symbol, with why its quality is what it is."""
    for one in found.rows:
        prices = (price(value) for _, value in _prices(one))
        yield one.symbol, *prices, one.day_volume, age(one.age_s), one.delay, one.quality, _why(one)


def watch(ask: Callable[[], Quotes], wait: Wait, *, json: bool) -> None:
    """Ask and show until told to end; `wait` is given how long after the last answer to ask again.

    On a terminal one table is drawn anew, elsewhere each round is a line for each symbol, or one of JSON.
    """
    console = Console(highlight=False, markup=False)
    redrawn.watch(ask, wait, console, every_s=EVERY_S, json=json, drawn=_drawn, plain=_plain)


def _drawn(found: Quotes, console: Console) -> Group:
    asked = f"Asked at {day_and_time(found.asked_at)} New York at {found.source}"
    below = [f"{asked}. Ctrl-C ends this."]
    old = [one.symbol for one in found.rows if not one.fresh]
    if old:
        below.insert(0, f"NO FRESH QUOTE of {', '.join(old)}: what stands there is old, and nothing is traded on it.")
    if found.delayed is not None:
        below.insert(0, f"{found.delayed}.")
    return Group(grid(COLUMNS, lines(found), console), *(Text(line) for line in below))


def _plain(found: Quotes) -> Iterator[str]:
    for one in found.rows:
        prices = " ".join(f"{name} {price(value) or '-'}" for name, value in _prices(one))
        late = f", {one.delay}" if one.delay not in ("", "none") else ""
        why = f" ({_why(one)})" if _why(one) else ""
        old = age(one.age_s) or "-"
        yield f"{clock(found.asked_at)} {one.symbol} {prices}, age {old}{late}, quality {one.quality}{why}"


def _prices(one: QuoteRow) -> tuple[tuple[str, Decimal | None], ...]:
    return ("bid", one.bid), ("ask", one.ask), ("last", one.last)


def age(seconds: float | None) -> str:
    """Write an age of seconds as it is, "" for none."""
    return "" if seconds is None else f"{seconds:,.1f} s"


def _why(one: QuoteRow) -> str:
    old = f"NOT FRESH, {one.made} (source: {one.source}): " if one.made and not one.fresh else ""
    return f"{old}{'; '.join(one.reasons)}"
