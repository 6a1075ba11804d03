"""Previews, places and cancels orders of one owner: every check that E*TRADE makes before the exchange sees
an order.

Previews are the broker's memory of what was asked: each has an id, is bound to one account and one ticket,
lives `preview_life_s` and admits one place. Texts and numbers: fact sheet, sections 4.4-4.9 and 4.14; the
text of the duplicate refusal (1042), of a change that is refused, and of what the simulator does not simulate (101) are
its own words. A change (section 4.10) is a preview and a place of their own: the old order ends and a new one begins in
one instant. What of an order may change, and that one which filled in part may not, no source is sure of.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from infra.brokersim.account import Account
from infra.brokersim.exchange import Exchange
from infra.brokersim.market import Market
from infra.brokersim.orders import Action, Event, EventKind, Order, PriceType, Status, Ticket
from infra.brokersim.settings import SimulatorSettings
from infra.brokersim.wire import Refused

FIRST_ORDER_ID = 401
UNPRICED_RESERVE = Decimal("1.05")
"""A buy without a limit reserves this much of the price it was seen at, as the price may move before it
fills.
"""

_TIMED_OUT = (
    "For your protection, we have timed out your original order request. "
    "If you would like to place this order, please resubmit it now."
)
_NO_FUNDS = "We cannot accept this order because there are insufficient funds in your account."
_NO_SHARES = "We did not find enough available shares of this security in your account."
_TOO_LATE_TO_CANCEL = "This order is currently being executed or rejected. It cannot be cancelled."
_TOO_LATE_TO_CHANGE = "This order is currently being executed or rejected. It cannot be changed."
_PENDING = "A request to cancel this order is already pending."


@dataclass(slots=True, kw_only=True)
class Preview:
    """One previewed order; `amount` is what it is estimated to cost in dollars (negative for a sell).

    `replaces` is the order that it would change.
    """

    preview_id: int
    account_key: str
    ticket: Ticket
    created: datetime
    amount: Decimal
    replaces: Order | None = None
    used: bool = False


class Desk:
    """Takes orders for accounts and hands them to the exchange."""

    def __init__(
        self, *, market: Market, exchange: Exchange, settings: SimulatorSettings, chance: random.Random,
        first_order_id: int = FIRST_ORDER_ID,
    ) -> None:  # fmt: skip
        self._market = market
        self._symbols = frozenset(market.symbols)
        self._exchange = exchange
        self._settings = settings
        self._chance = chance
        self._previews: dict[int, Preview] = {}
        self._first = first_order_id

    def preview(self, account: Account, ticket: Ticket, at: datetime, replaces: Order | None = None) -> Preview:
        """Checks an order without placing it; Refused with E*TRADE's number if it could not be placed."""
        price = self._check(account, ticket, at, replaces)
        amount = price * ticket.quantity
        preview = Preview(
            preview_id=self._chance.randrange(10**11, 10**12),
            account_key=account.key,
            ticket=ticket,
            created=at,
            amount=amount if ticket.action is Action.BUY else -amount,
            replaces=replaces,
        )
        self._previews[preview.preview_id] = preview
        return preview

    def place(
        self, account: Account, ticket: Ticket, preview_id: int | None, at: datetime, replaces: Order | None = None
    ) -> Order:
        """Places a previewed order once, in the place of `replaces` if that is given; Refused if the preview does not
        fit, is used or too old.
        """
        preview = self._fitting_preview(account, ticket, preview_id, at)
        if preview.replaces is not replaces:
            raise Refused(_TIMED_OUT, code=101)
        duplicate = ticket.client_order_id in account.client_order_ids
        if duplicate and self._settings.duplicate_client_order_id == "refuse":
            raise Refused("This order may be a duplicate of an existing order.", code=1042)
        price = self._check(account, ticket, at, replaces)
        preview.used = True
        account.client_order_ids.add(ticket.client_order_id)
        spread_ms = self._chance.randint(0, self._settings.fill_latency_spread_ms)
        order = Order(
            order_id=self._first + len(account.orders),
            account_key=account.key,
            ticket=ticket,
            placed_at=at,
            works_from=at + timedelta(milliseconds=self._settings.fill_latency_ms + spread_ms),
            reserve_price=_reserve(ticket, price),
            events=[Event(at=at, kind=EventKind.PLACED)],
        )
        account.orders[order.order_id] = order
        if replaces is None:
            self._exchange.enter(order)
        else:
            self._exchange.replace(replaces, order, at)
        return order

    def changed(self, account: Account, order_id: int, ticket: Ticket) -> Order:
        """The order that `ticket` would change in price, quantity or term; Refused if it is not there to be changed."""
        order = self._live(account, order_id, _TOO_LATE_TO_CHANGE)
        if (ticket.symbol, ticket.action) != (order.ticket.symbol, order.ticket.action):
            raise Refused("A change keeps the symbol and the side of its order.", code=101)
        if order.filled:
            raise Refused("This order has been partially executed. It cannot be changed.", code=167)
        return order

    def cancel(self, account: Account, order_id: int, at: datetime) -> Order:
        """Asks for a cancel, which becomes true a little later unless the order fills first."""
        order = self._live(account, order_id, _TOO_LATE_TO_CANCEL)
        order.status = Status.CANCEL_REQUESTED
        order.events.append(Event(at=at, kind=EventKind.CANCEL_REQUESTED))
        delay_ms = self._chance.randint(self._settings.cancel_delay_min_ms, self._settings.cancel_delay_max_ms)
        self._exchange.cancel(order, at + timedelta(milliseconds=delay_ms))
        return order

    def _live(self, account: Account, order_id: int, too_late: str) -> Order:
        order = account.orders.get(order_id)
        if order is None:
            raise Refused("Invalid order id.", code=1005)
        if not order.live:
            raise Refused(too_late, code=5001)
        if order.status is Status.CANCEL_REQUESTED:
            raise Refused(_PENDING, code=5003)
        return order

    def _fitting_preview(self, account: Account, ticket: Ticket, preview_id: int | None, at: datetime) -> Preview:
        if preview_id is None:
            raise Refused(_TIMED_OUT, code=101)
        preview = self._previews.get(preview_id)
        if preview is None or preview.account_key != account.key:
            raise Refused("Invalid Preview Id", code=900)
        if preview.used or at - preview.created > timedelta(seconds=self._settings.preview_life_s):
            raise Refused(_TIMED_OUT, code=1033)
        if preview.ticket != ticket:
            raise Refused(_TIMED_OUT, code=101)
        return preview

    def _check(self, account: Account, ticket: Ticket, at: datetime, replaces: Order | None) -> Decimal:
        """The price an order is reckoned at, once symbol, stop side, funds and shares have been checked.

        What the order that it replaces holds back counts as free.
        """
        if ticket.symbol not in self._symbols:
            raise Refused(f"{ticket.symbol} is an invalid symbol.", code=101)
        row = self._market.quote(ticket.symbol, at)
        close = self._market.previous_close(ticket.symbol)
        last, ask, bid = (row.last, row.ask, row.bid) if row else (close, close, close)
        buys = ticket.action is Action.BUY
        if ticket.stop_price is not None and (ticket.stop_price <= last if buys else ticket.stop_price >= last):
            side = "buy stop must be above" if buys else "sell stop must be below"
            raise Refused(f"The stop price of a {side} the current market price.", code=101)
        price = ticket.limit_price or ticket.stop_price or (ask if buys else bid)
        freed = replaces.remaining if replaces else 0
        funds = account.buying_power(at) + (replaces.reserve_price * freed if replaces else 0)
        if buys and _reserve(ticket, price) * ticket.quantity > funds:
            raise Refused(_NO_FUNDS, code=1021)
        if not buys and ticket.quantity > account.available_shares(ticket.symbol) + freed:
            raise Refused(_NO_SHARES, code=1037)
        return price


def _reserve(ticket: Ticket, price: Decimal) -> Decimal:
    """Dollars a share that an order holds back while it lives."""
    return price if ticket.price_type is PriceType.LIMIT else price * UNPRICED_RESERVE
