"""The words of a report: exits, amounts and times as a person reads them; why an order ended is in `ends`."""

from datetime import datetime
from decimal import Decimal

from shared.domain.base.calendar import NEW_YORK, new_york_day
from shared.domain.base.values import cents
from shared.domain.market.sight import Looks
from shared.domain.orders.explain import why_left
from shared.domain.orders.orders import Kind, Order

KINDS = {Kind.ENTRY: "Entry", Kind.PROTECT: "Protective stop", Kind.MOVE: "Stop moved", Kind.EXIT: "Exit"}


def plain(text: str) -> str:
    """Write the name of a strategy inside a text as words: opening range at 167.96."""
    return text.replace("_", " ")


def why_made(order: Order) -> str:
    """Say why an order exists in a few words."""
    return why_left(order.reason) if order.kind is Kind.EXIT else plain(order.reason)


def words(code: str) -> str:
    """Write a code as words."""
    return code.replace("_", " ").replace(":", ": ").replace("+", ", ").lower()


def dollars(amount: Decimal | str) -> str:
    """Write a gain or loss with its sign: +$1,234.50; nothing gained is $0.00."""
    value = cents(Decimal(amount))
    sign = "" if not value else "-" if value < 0 else "+"
    return f"{sign}${abs(value):,.2f}"


def price(amount: Decimal | None) -> str:
    """Write a price in USD to the cent, and an average that is no whole cent to four places; "" for none."""
    if amount is None:
        return ""
    said = f"{amount:,.4f}"
    return said.removesuffix("00")


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
    """Say how many seconds of a session were watched, how many of them showed nothing that can be used, and how often
    what was held was watched.
    """
    share = f" ({100 * of.looked / of.seconds:.1f} %)" if of.seconds else ""
    held = f"; what was held was watched at least every {of.unseen_s} s" if of.unseen_s else ""
    unquoted = f", {of.unquoted:,} without a usable quote" if of.unquoted else ""
    return f"{of.looked:,} of {of.seconds:,}{share}, {of.blind:,} not{unquoted}{held}"
