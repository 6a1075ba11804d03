"""What is held and what the account has, in money: out of what the functions stored, each figure with its age.

What can go wrong: an old price is taken for the market's; one symbol without a price makes a sum look smaller than it
is; a price of somebody else's counts. What this promises: the last trade of the scan's quote counts for three minutes,
as in the loss limit; an older one is told with its instant and never as a figure; one from elsewhere is marked and
counts in nothing; a sum of which a part is not known is not known. Nothing is asked of the broker.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.domain.base.calendar import new_york_day
from shared.domain.base.values import cents
from shared.domain.broker.brokerage import LastBalance
from shared.domain.market.fallback import FallbackQuote
from shared.domain.market.quality import BROKER
from shared.domain.market.quotes import Quote
from shared.domain.orders import book
from shared.domain.orders.orders import AT_BROKER, STOPS, Order
from shared.domain.orders.positions import Ledger, Position
from shared.frozen import frozen
from shared.usecases.orders.losses import MARK_LIFE

if TYPE_CHECKING:
    from infra.results.facts import Trade

_PERCENT = Decimal("0.01")


class Priced(StrEnum):
    """What a price is worth."""

    FRESH = "fresh"
    OLD = "old"
    ELSEWHERE = "elsewhere"
    MISSING = "missing"


@frozen
class Price:
    """A last price in USD, traded `at`, `age_s` ago; None where it is old or missing: then only its instant is told.

    `source` said it; one from `elsewhere` counts in nothing.
    """

    kind: Priced
    last: Decimal | None = None
    at: datetime | None = None
    age_s: float | None = None
    source: str = ""


@frozen
class Owned:
    """One position, money in USD: what is held of it, or what it was once it is closed.

    `value` and `open_profit` are at a fresh price, None without one. `stop` is the highest stop that works at the
    broker, None where none does, `stop_distance` how far the price is above it, and `stop_percent` that in percent of
    the price. `stop_wanted` is the level that the book wants. `realized` is without its `unpriced` shares.
    """

    symbol: str
    strategy: str
    quantity: int
    average_cost: Decimal
    opened_at: datetime
    is_open: bool
    closed_at: datetime | None
    realized: Decimal
    unpriced: int
    venue: str = ""
    price: Price | None = None
    value: Decimal | None = None
    open_profit: Decimal | None = None
    open_percent: Decimal | None = None
    stop: Decimal | None = None
    stop_wanted: Decimal | None = None
    stop_distance: Decimal | None = None
    stop_percent: Decimal | None = None
    closing: bool = False


@frozen
class Wealth:
    """A system's money in USD; None is what is not known, because a symbol of `unknown` has no fresh price.

    `realized_today` and `day_profit` are of the New York day of the look: what the day realised, and with it what is
    open since it was bought. `equity` is the owner's capital with all that was won and lost, `exposure_pct` the part of
    it that is in shares. `last` is the balance as settlement read it, `balance_age_s` ago; None before the first time.
    """

    value: Decimal | None
    open_profit: Decimal | None
    realized_today: Decimal
    day_profit: Decimal | None
    equity: Decimal | None
    exposure_pct: Decimal | None
    unknown: tuple[str, ...]
    last: LastBalance | None
    balance_age_s: float | None


def prices(
    quotes: Iterable[Quote], elsewhere: Iterable[FallbackQuote], symbols: Iterable[str], at: datetime
) -> dict[str, Price]:  # fmt: skip
    """Give the price of each symbol; `quotes` are the scan's."""
    scanned = {one.symbol: one for one in quotes}
    others = {one.symbol: one for one in elsewhere}
    return {symbol: _price(scanned.get(symbol), others.get(symbol), at) for symbol in symbols}


def owned(held: Sequence[Position], live: Iterable[Order], priced: Mapping[str, Price]) -> list[Owned]:
    """Give what is held, in the order given."""
    stops: dict[str, Decimal] = {}
    for order in live:
        if order.kind in STOPS and order.state in AT_BROKER and order.stop_price is not None:
            stops[order.symbol] = max(stops.get(order.symbol, order.stop_price), order.stop_price)
    return [_owned(one, priced[one.symbol], stops.get(one.symbol)) for one in held]


def closed(found: "Iterable[Trade]") -> list[Owned]:
    """Give the round trips that are over."""
    return [
        Owned(
            symbol=one.symbol, strategy=one.strategy, quantity=0, average_cost=one.entry_price, is_open=False,
            opened_at=one.entered_at, closed_at=one.left_at, realized=one.realized, unpriced=one.unpriced,
        )
        for one in found
        if not one.held
    ]  # fmt: skip


def wealth(
    rows: Sequence[Owned], ledgers: Sequence[Ledger], last: LastBalance | None, at: datetime, *, whole: bool = True
) -> Wealth:  # fmt: skip
    """Sum up what is held, what was won and lost, and the balance; nothing sums up where not the `whole` was read."""
    value, open_profit = (
        (_sum(one.value for one in rows), _sum(one.open_profit for one in rows)) if whole else (None, None)
    )
    today = _of(ledgers, new_york_day(at))
    realized = sum((one.realized for one in ledgers), Decimal(0))
    equity = None if open_profit is None or last is None else last.capital + realized + open_profit
    return Wealth(
        value=value, open_profit=open_profit, realized_today=today,
        day_profit=None if open_profit is None else today + open_profit, equity=equity,
        exposure_pct=_percent(value, equity) if equity is not None and equity > 0 else None,
        unknown=tuple(one.symbol for one in rows if one.value is None), last=last,
        balance_age_s=None if last is None else (at - last.balance.at).total_seconds(),
    )  # fmt: skip


def _price(quote: Quote | None, other: FallbackQuote | None, at: datetime) -> Price:
    if quote is not None and quote.source == BROKER and at - min(quote.received_at, quote.at) <= MARK_LIFE:
        age = (at - quote.at).total_seconds()
        return Price(kind=Priced.FRESH, last=quote.last, at=quote.at, age_s=age, source=quote.source)
    if other is not None:
        age = (at - other.at).total_seconds()
        return Price(kind=Priced.ELSEWHERE, last=other.last, at=other.at, age_s=age, source=other.source)
    if quote is not None:
        age = (at - quote.at).total_seconds()
        return Price(kind=Priced.OLD, at=quote.at, age_s=age, source=quote.source)
    return Price(kind=Priced.MISSING)


def _owned(one: Position, price: Price, stop: Decimal | None) -> Owned:
    last = price.last if price.kind is Priced.FRESH else None
    cost, profit = book.invested(one), None if last is None else cents(book.open_profit(one, last))
    away = None if last is None or stop is None else last - stop
    return Owned(
        symbol=one.symbol, strategy=one.strategy, quantity=one.quantity, average_cost=one.average_cost,
        opened_at=one.opened_at, is_open=one.is_open, closed_at=one.closed_at, realized=one.realized,
        unpriced=one.unpriced, venue=one.venue, price=price, value=None if last is None else last * one.quantity,
        open_profit=profit, open_percent=_percent(profit, cost), stop=stop, stop_wanted=one.stop_wanted,
        stop_distance=away, stop_percent=_percent(away, last), closing=one.closing,
    )  # fmt: skip


def _percent(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    return None if part is None or not whole else (part * 100 / whole).quantize(_PERCENT)


def _sum(found: Iterable[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for one in found:
        if one is None:
            return None
        total += one
    return total


def _of(ledgers: Iterable[Ledger], day: date) -> Decimal:
    return sum((one.realized for one in ledgers if one.session == day), Decimal(0))
