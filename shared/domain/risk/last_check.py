"""The last check: whether a document that calls itself an approved order may be sent at all.

What can go wrong: the document was not made by our judgement. Whoever can write in the book can write an order that
looks approved, with a sound audit chain, and whatever else the book holds. What this promises: what passes is within
the owner's own limits, which no function can write: an entry within `order_usd_max`, `order_shares_max`, the capital
with what is held and reserved, the collar around a quote that the sender asked for itself, and the session; a sell
within the shares that are held and that no other sell may still take. No more than that is judged here:
how many entries a day has, losses, pauses and the day's other rules rest on the book, and so on whoever can write it.

`Found` tells two things apart. `void` is what time, the market or the owner explain: an honest order ends so, too.
`refused` is what no judgement of ours can have made. So that an honest race is never called a forgery:
- the book is read later than it was when the order was approved. Shares that were sold or missed meanwhile, those that
  the owner took out, and sells that came meanwhile, explain a sell of too much; a position that closed or opened
  meanwhile explains one that is not held. What happened up to `CLOCKS` before the order was made counts as meanwhile:
  two clocks wrote that.
- what others hold and reserve may have grown, by an order that turned up late: beyond the capital with them is `void`.
  Profit makes the equity larger than the capital, but never what is held: the capital is the owner's word.
- the owner may have changed the limits, which a function reads once a minute. What a process finds that was made
  before it uses them is `void`, as long as such an entry can live, and what names another version of them.
- a better price, a partial fill and a lower stop change none of the figures that are judged.
Whoever forges the instants of a document can so have it voided instead of refused, and not sent either way.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from shared.domain.base.calendar import is_open
from shared.domain.base.values import PriceType, Side, Term
from shared.domain.control.config import StrategyConfig
from shared.domain.market.quality import faults, is_finite
from shared.domain.market.quotes import Quote
from shared.domain.orders import book
from shared.domain.orders.orders import AT_BROKER, IN_DOUBT, Kind, Order
from shared.domain.orders.positions import Position
from shared.domain.risk.risk import outside_collar
from shared.frozen import frozen

QUOTE_LIFE = timedelta(seconds=5)
CLOCKS = timedelta(seconds=5)
"""How far the clocks of two functions are taken to be apart, at most."""
LOOK = timedelta(seconds=30)
"""What a portfolio misses is dated by when it was asked for, and written down at the end of the look."""
_OF_LIMITS = frozenset({"ORDER_SHARES_MAX", "NOTIONAL_MAX_ORDER", "CAPITAL_MAX"})
_ENTRY_TERMS = frozenset({Term.IMMEDIATE_OR_CANCEL, Term.GOOD_FOR_DAY})


@frozen
class Owner:
    """What the owner allows: settings and capital in USD, as this process read them at `since`.

    `number` is the version of the configuration.
    """

    config: StrategyConfig
    capital: Decimal
    since: datetime
    number: int = 0


@frozen
class Known:
    """What the sender of an order knows at `now`.

    `quote` is what it asked the broker itself, None where the broker knows no such symbol; `positions` are all that are
    open, and both are for entries. `position` is the last one in the symbol of a sell. `others` are the live orders
    besides the judged one, for a sell those of its symbol. `sold_at` is when shares of the position were last sold.
    """

    now: datetime
    quote: Quote | None = None
    positions: tuple[Position, ...] = ()
    position: Position | None = None
    others: tuple[Order, ...] = ()
    sold_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The codes of what no sound document has, and of what time, market or owner explain; without any it may go.

    `note` says them in sentences (`last_check_words`), and is no part of what was found.
    """

    refused: tuple[str, ...] = ()
    void: tuple[str, ...] = ()
    note: str = field(default="", compare=False)


def judge(order: Order, known: Known, owner: Owner) -> Found:
    """Judge an order about to be licensed, whoever wrote it."""
    found = of_document(order, owner)
    if found.refused or found.void:
        return found
    return _entry(order, known, owner) if order.kind is Kind.ENTRY else _sell(order, known)


def of_document(order: Order, owner: Owner) -> Found:
    """Judge what the document alone tells, before anybody is asked anything."""
    wrong = _entry_document(order, owner) if order.kind is Kind.ENTRY else _sell_document(order)
    codes = tuple(code for code, is_so in wrong.items() if is_so)
    lives = timedelta(seconds=owner.config.entry.signal_age_max_s)
    before = order.config_number != owner.number or owner.since - lives <= order.created_at < owner.since
    if codes and before and _OF_LIMITS.issuperset(codes):
        return Found(void=("LIMITS_CHANGED", *codes))
    return Found(refused=codes)


def free_shares(known: Known) -> int:
    """Give the shares that are held and that no sell which may be at the broker can still take."""
    held = known.position.present if known.position is not None else 0
    return held - sum(max(sell.quantity - sell.filled, 0) for sell in _covering(known))


def committed(known: Known) -> Decimal:
    """Give the money in USD that is in open positions and reserved for the entries of others."""
    reserved = (one.reserved for one in known.others if one.kind is Kind.ENTRY and one.reserved.is_finite())
    held = sum(map(book.invested, known.positions), Decimal(0))
    return held + sum((max(one, Decimal(0)) for one in reserved), Decimal(0))


def _entry_document(order: Order, owner: Owner) -> dict[str, bool]:
    limit = order.limit_price if _is_price(order.limit_price) else None
    value = None if limit is None else limit * order.quantity
    formed = order.price_type is PriceType.LIMIT and order.term in _ENTRY_TERMS and order.stop_price is None
    limits = owner.config.limits
    return {
        "SIDE": order.side is not Side.BUY,
        "FORM": not formed or limit is None or order.joined or order.replaces is not None,
        "QTY": not _is_quantity(order),
        "SENT_BEFORE": _was_sent(order),
        "RESERVATION": value is None or not order.reserved.is_finite() or order.reserved != value,
        "ORDER_SHARES_MAX": order.quantity > limits.order_shares_max,
        "NOTIONAL_MAX_ORDER": value is None or value > limits.order_usd_max,
        "CAPITAL_MAX": value is None or value > owner.capital,
    }


def _sell_document(order: Order) -> dict[str, bool]:
    if order.price_type is PriceType.STOP:
        formed = order.kind is not Kind.EXIT and order.term is Term.GOOD_UNTIL_CANCEL
        formed = formed and _is_price(order.stop_price) and order.limit_price is None
    else:
        formed = order.kind is Kind.EXIT and order.term is Term.GOOD_FOR_DAY and order.stop_price is None
        limited = order.price_type is PriceType.LIMIT
        formed = formed and (_is_price(order.limit_price) if limited else order.limit_price is None)
    return {
        "SIDE": order.side is not Side.SELL,
        "FORM": not formed,
        "QTY": not _is_quantity(order),
        "SENT_BEFORE": _was_sent(order),
    }


def _entry(order: Order, known: Known, owner: Owner) -> Found:
    limit = order.limit_price or Decimal(0)
    void = {
        "SESSION_CLOSED": not is_open(known.now),
        "CAPITAL_MAX": committed(known) + limit * order.quantity > owner.capital,
        **_of_quote(limit, known, owner.config),
    }
    return Found(void=tuple(code for code, is_so in void.items() if is_so))


def _of_quote(limit: Decimal, known: Known, config: StrategyConfig) -> dict[str, bool]:
    """Judge the sender's own quote: its age since it came, what was wrong with it then, and the limit's distance."""
    quote = known.quote
    if quote is None or not is_finite(quote):
        return {"NO_QUOTE": True}
    old = known.now - quote.received_at > QUOTE_LIFE
    wrong = faults(quote, now=quote.received_at, max_age_s=config.entry.quote_age_max_s)
    return {
        "QUOTE_STALE": old or "STALE" in wrong,
        "QUOTE_BAD": any(code != "STALE" for code in wrong),
        "PRICE_COLLAR": outside_collar(limit, quote, config),
    }


def _sell(order: Order, known: Known) -> Found:
    made = order.created_at - CLOCKS
    position = known.position
    if position is None or position.venue is not order.venue:
        return Found(refused=("NOT_HELD",))
    if position.position_id != order.position_id:
        return _lacks("NOT_HELD", explained=position.opened_at >= made)
    if not position.is_open:
        return _lacks("NOT_HELD", explained=position.closed_at is not None and position.closed_at >= made)
    beyond = order.quantity - free_shares(known)
    if beyond > 0:
        missed = None if position.missing is None else position.missing.since + LOOK
        changed = [known.sold_at, missed, *(sell.updated_at for sell in _covering(known))]
        meanwhile = any(at is not None and at >= made for at in changed)
        return _lacks("NO_SHORT", explained=meanwhile or beyond <= position.taken_out)
    if order.kind is Kind.EXIT and not is_open(known.now):
        return Found(void=("SESSION_CLOSED",))
    return Found()


def _lacks(code: str, *, explained: bool) -> Found:
    return Found(void=("OUTDATED",)) if explained else Found(refused=(code,))


def _covering(known: Known) -> list[Order]:
    """Give the sells that the broker has or may have; one that was not sent is judged by its own last check."""
    return [one for one in known.others if one.side is Side.SELL and one.state in AT_BROKER | IN_DOUBT]


def _is_price(price: Decimal | None) -> bool:
    return price is not None and price.is_finite() and price > 0


def _is_quantity(order: Order) -> bool:
    return type(order.quantity) is int and order.quantity >= 1


def _was_sent(order: Order) -> bool:
    return order.licence is not None or order.broker_order_id is not None or order.filled != 0
