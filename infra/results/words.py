"""The words of a report: exits, amounts and times as a person reads them; why an order ended is in `ends`."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from shared.domain.base.calendar import NEW_YORK, new_york_day
from shared.domain.base.values import cents
from shared.domain.market.sight import Looks
from shared.domain.orders.orders import Kind

KINDS = {Kind.ENTRY: "Entry", Kind.PROTECT: "Protective stop", Kind.MOVE: "Stop moved", Kind.EXIT: "Exit"}
EXITS: Mapping[str, str] = {
    "flatten": "end-of-day exit",
    "max_hold": "held for the longest time",
    "target": "profit target",
    "stop": "stop loss",
    "trail": "trailing stop",
    "rsi": "RSI too low",
    "stop_missed": "stop level missed",
    "owner": "sold on your word",
    "data_end": "at the last price, the data had ended",
}


def why_left(reason: str) -> str:
    """Say why a position was sold in a few words; several reasons have a comma between them."""
    return ", ".join(EXITS.get(one, words(one)) for one in reason.split(", ")) if reason else ""


def words(code: str) -> str:
    """Write a code as words."""
    return code.replace("_", " ").replace(":", ": ").replace("+", ", ").lower()


def dollars(amount: Decimal | str) -> str:
    """Write a gain or loss with its sign: +$1,234.50; nothing gained is $0.00."""
    value = cents(Decimal(amount))
    sign = "" if not value else "-" if value < 0 else "+"
    return f"{sign}${abs(value):,.2f}"


def tone(amount: Decimal | str) -> str:
    """Give the style class of an amount."""
    return dollars(amount)[0].translate({ord("+"): "gain", ord("-"): "loss", ord("$"): "even"})


def percent(value: Decimal) -> str:
    """Write a percent with its sign: +0.39 %; nothing gained is 0.00 %."""
    return f"{value:+.2f} %" if round(value, 2) else "0.00 %"


def moment(at: datetime, begins: datetime, ends: datetime) -> str:
    """Write an instant of a span: its hour within a day, its date with it in a longer one; New York time."""
    if new_york_day(begins) == new_york_day(ends):
        return clock(at)
    return f"{at.astimezone(NEW_YORK):%Y-%m-%d %H:%M}"


def clock(at: datetime) -> str:
    """Write an instant of a known day as a person in New York reads it: 10:31:02."""
    return f"{at.astimezone(NEW_YORK):%H:%M:%S}"


def span(seconds: int) -> str:
    """Write a length of time in its largest unit or two: 9 s, 12 min, 5 h 50 min."""
    if seconds < 120:
        return f"{seconds} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def looked(of: Looks) -> str:
    """Say how many seconds of a session were looked at, how many of them showed nothing that can be used, and the
    longest time without a look at what was held.
    """
    share = f" ({100 * of.looked / of.seconds:.1f} %)" if of.seconds else ""
    held = f"; what was held was never without a look for more than {of.unseen_s} s" if of.unseen_s else ""
    unquoted = f", {of.unquoted:,} without a usable quote" if of.unquoted else ""
    return f"{of.looked:,} of {of.seconds:,}{share}, {of.blind:,} blind{unquoted}{held}"
