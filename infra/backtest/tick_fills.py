"""The market on one-second quotes: orders meet it in the simulated broker's own exchange.

At the touch and within the limit, at most the displayed size, which all orders of a row share; an immediate order ends
where it meets the standing quote; a stop is triggered by the last price. So a fill of a back-test is the simulator's
own, at the same instant and price (infra/brokersim/exchange.py).
"""

from datetime import datetime

from infra.backtest.day import Day, Tick
from infra.backtest.played import Book
from infra.brokersim.exchange import Exchange
from infra.brokersim.market import Market
from infra.brokersim.orders import Order


class TickFills:
    """The model of the market for a day of one-second quotes (`infra.backtest.played.Fills`)."""

    def begin(self, day: Day, market: Market, book: Book) -> None:
        """Begin a day without orders."""
        opens, closes = day.session.opens_at, day.session.closes_at
        self._exchange = Exchange(market, opens=opens, closes=closes, book=book)

    def show(self, tick: Tick) -> None:
        """Let everything happen that happens up to the new quotes, which the market shows already."""
        self._exchange.advance(tick.at)

    def enter(self, order: Order) -> None:
        """Take a new order."""
        self._exchange.enter(order)

    def cancel(self, order: Order, effective: datetime) -> None:
        """Take a cancel."""
        self._exchange.cancel(order, effective)

    def advance(self, now: datetime) -> None:
        """Let everything happen that happens up to `now`."""
        self._exchange.advance(now)
