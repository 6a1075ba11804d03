"""Money in words: what is held, the day's profit, equity and cash; what is not known is said, and never a figure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from infra.cli.whose import ON_PAPER
from infra.operations.wealth import Owned, Price, Priced, Wealth
from infra.simulated_day.hours import clock_on, day_and_time
from shared.domain.base.calendar import new_york_day
from shared.domain.broker.brokerage import LastBalance, is_margin
from shared.domain.orders.explain import at_venue

COLUMNS = ("Symbol", "Shares", "Cost", "Last", "Age", "Value", "Profit", "%", "Stop", "To stop", "Since")
NOT_COUNTED = "* a price from elsewhere: its delay is not known, nothing is traded on it, and it is in no sum"


def balance(wealth: Wealth, whose: str) -> Iterable[tuple[str, str]]:
    """Say a system's equity and cash, a line for each; the figures of the balance are those of `whose` account."""
    yield "Equity", _equity(wealth)
    yield "Cash", cash(wealth.last, wealth.balance_age_s, whose)


def held(one: Owned) -> str:
    """Say one position in a line that a terminal of 80 columns mostly takes."""
    price = one.price or Price(kind=Priced.MISSING)
    stop = at_venue("NO STOP at the broker", one.venue) if one.stop is None else f"stop {one.stop:,.2f}"
    if one.stop is not None and one.stop_percent is not None:
        stop += f" ({one.stop_percent} %)"
    said = f"{one.quantity:,} {one.symbol}"
    if price.kind is Priced.FRESH:
        return f"{said} {one.open_profit:+,.2f} USD, last {price.last:,.2f} ({age(price.age_s)}), {stop}"
    return f"{said}, {priced(price)}, {stop}"


def priced(price: Price) -> str:
    """Say a price that does not count."""
    if price.kind is Priced.ELSEWHERE:
        return f"last {price.last:,.2f} of {price.source} ({age(price.age_s)} old, NOT TRADED ON)"
    if price.kind is Priced.OLD and price.at is not None:
        return f"NO PRICE since {_when(price.at, price.age_s)}"
    return "NO PRICE"


def row(one: Owned, at: datetime) -> tuple[object, ...]:
    """Give the cells of one open position; an old price is not a figure."""
    price = one.price or Price(kind=Priced.MISSING)
    last = {Priced.OLD: "OLD", Priced.MISSING: "NONE"}.get(price.kind)
    if price.last is not None:
        last = f"{price.last:,.2f}{'*' * (price.kind is Priced.ELSEWHERE)}"
    away = "" if one.stop_percent is None else f"{one.stop_percent} %"
    return (
        one.symbol, f"{one.quantity:,}", f"{one.average_cost:,.2f}", last, age(price.age_s), _money(one.value),
        _signed(one.open_profit), _signed(one.open_percent), "NONE" if one.stop is None else f"{one.stop:,.2f}", away,
        clock_on(new_york_day(at), one.opened_at),
    )  # fmt: skip


def total(rows: Sequence[Owned]) -> str:
    """Say what is held together; a sum of which a part has no price is not known."""
    if missing := [one.symbol for one in rows if one.value is None]:
        return f"Together: not known, no fresh price of {', '.join(missing)}."
    value = sum((one.value or Decimal(0) for one in rows), Decimal(0))
    profit = sum((one.open_profit or Decimal(0) for one in rows), Decimal(0))
    return f"Together: {value:,.2f} USD, {profit:+,.2f} USD open."


def short(wealth: Wealth) -> str:
    """Say the day's profit and the equity in a few words."""
    if wealth.day_profit is None:
        return f"{wealth.realized_today:+,.2f} USD realised today, open profit not known"
    equity = "" if wealth.equity is None else f", equity {wealth.equity:,.2f} USD"
    parts = f"{wealth.realized_today:+,.2f} realised, {wealth.open_profit:+,.2f} open"
    return f"{wealth.day_profit:+,.2f} USD today ({parts}){equity}"


def age(seconds: float | None) -> str:
    """Write an age in its largest unit."""
    if seconds is None:
        return ""
    whole = round(seconds)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if whole >= 2 * size:
            return f"{whole // size} {unit}"
    return f"{whole} s"


def day(owned: Sequence[Owned], wealth: Wealth) -> str:
    """Say the profit of the New York day, realised and open."""
    if wealth.day_profit is None:
        why = f"no fresh price of {', '.join(wealth.unknown)}" if wealth.unknown else "the book cannot be read whole"
        return f"not known: {why}; {wealth.realized_today:+,.2f} USD of it are realised"
    if not owned:
        return f"{wealth.day_profit:+,.2f} USD; nothing is open"
    parts = f"{wealth.realized_today:+,.2f} realised, {wealth.open_profit:+,.2f} open"
    return f"{wealth.day_profit:+,.2f} USD: {parts}"


def _equity(wealth: Wealth) -> str:
    if wealth.last is None:
        return "not known: the balance was not read yet"
    of = f"{wealth.last.capital:,.2f} USD of capital and all profit and loss, at the last prices"
    if wealth.equity is None:
        return f"not known, because the open profit is not: {of}"
    return f"{wealth.equity:,.2f} USD: {of}; {wealth.exposure_pct or Decimal(0)} % in shares"


def cash(last: LastBalance | None, age_s: float | None, whose: str) -> str:
    """Say what an account can spend and is worth by its own figures, as settlement read them so long ago.

    The paper account knows prices of what it saw in the last seconds alone, and counts other shares at their cost.
    """
    if last is None:
        return "not known: the balance was not read yet"
    found = last.balance
    kind = "margin" if is_margin(found.account_mode) else "cash"
    # In a margin account settled cash limits nothing, and falls with each purchase until the sales of the day settle.
    spends = "to buy with, what sales of today brought included" if kind == "margin" else "settled, to buy with"
    worth = "account value, shares without a fresh price at their cost" if whose == ON_PAPER else "account value"
    parts = [
        f"{amount:,.2f} USD {name}"
        for name, amount in ((spends, found.usable), (worth, found.account_value))
        if amount is not None
    ]
    said = ", ".join(parts) or "the broker gave no figure"
    return f"{said} ({kind} account; {whose} own figures, read at {_when(found.at, age_s)})"


def _when(at: datetime, age_s: float | None) -> str:
    return f"{day_and_time(at)} New York, {age(age_s)} ago"


def _money(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:,.2f}"


def _signed(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:+,.2f}"
