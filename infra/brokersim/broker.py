"""The broker's modules behind the URLs: accounts, orders and quotes of one simulated owner, over one market
day.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from infra.brokersim import order_views, transactions, views
from infra.brokersim.account import CASH_ACCOUNT_KEY, CLOSED_ACCOUNT_KEY, MARGIN_ACCOUNT_KEY, Account
from infra.brokersim.chance import stream
from infra.brokersim.desk import Desk
from infra.brokersim.exchange import Exchange
from infra.brokersim.halting import HaltingMarket, How
from infra.brokersim.market import Market
from infra.brokersim.orders import Action, Event, EventKind, Fill, Order, PriceType, Status, Term, Ticket
from infra.brokersim.quotes import QuoteBook, lookup
from infra.brokersim.routes import Route
from infra.brokersim.settings import SimulatorSettings
from infra.brokersim.tape import new_york
from infra.brokersim.tickets import body_of, preview_id_of, ticket_of
from infra.brokersim.views import Scene
from infra.brokersim.wire import CATCH_ALL, Answer, Refused, Request, nothing_found

_OPENS = time(9, 30)
_SATURDAY = 5


def simulated_accounts(settings: SimulatorSettings) -> dict[str, Account]:
    """One active cash account, one active margin account and one closed account, by key."""
    closed, cash = datetime(2012, 1, 3, 21, tzinfo=UTC), settings.starting_cash
    accounts = (
        Account(
            account_id="00000001",
            key=CASH_ACCOUNT_KEY,
            mode=settings.cash_mode,
            description="Simulated cash",
            cash=cash,
            settles=settings.settles,
        ),
        Account(
            account_id="00000002",
            key=MARGIN_ACCOUNT_KEY,
            mode=settings.margin_mode,
            description="Simulated margin",
            cash=cash,
            settles=settings.settles,
        ),
        Account(
            account_id="00000003",
            key=CLOSED_ACCOUNT_KEY,
            mode="CASH",
            description="Simulated closed",
            cash=Decimal(0),
            closed_at=closed,
            settles=settings.settles,
        ),
    )
    return {account.key: account for account in accounts}


def day_trades(market: Market, account_key: str, count: int) -> list[Order]:
    """So many purchases, each sold on its day, over the four weekdays before the market's day, oldest first."""
    days = [market.day - timedelta(days=back) for back in range(6, 0, -1)]
    days = [day for day in days if day.weekday() < _SATURDAY][-4:]
    price, found = Decimal(20), list[Order]()
    for number in sorted(range(count), key=lambda number: number % len(days)):
        for action in (Action.BUY, Action.SELL):
            at = new_york(days[number % len(days)], time(11, number, action is Action.SELL))
            ticket = Ticket(
                client_order_id=f"earlier{number}{action}",
                symbol=market.symbols[-1],
                action=action,
                quantity=1,
                price_type=PriceType.LIMIT,
                term=Term.GOOD_FOR_DAY,
                limit_price=price,
                stop_price=None,
            )
            found.append(_executed(ticket, account_key, order_id=1 + len(found), price=price, at=at))
    return found


def _executed(ticket: Ticket, account_key: str, *, order_id: int, price: Decimal, at: datetime) -> Order:
    return Order(
        order_id=order_id,
        account_key=account_key,
        ticket=ticket,
        placed_at=at,
        works_from=at,
        reserve_price=price,
        status=Status.EXECUTED,
        filled=ticket.quantity,
        paid=price * ticket.quantity,
        events=[Event(at=at, kind=EventKind.FILL, quantity=ticket.quantity, price=price)],
    )


class Broker:
    """Answers every authenticated call; instants are passed in."""

    def __init__(self, *, market: Market, settings: SimulatorSettings, seed: int) -> None:
        self._market = market = HaltingMarket(market)
        self._url = settings.public_url
        self._opens = new_york(market.day, _OPENS)
        self._closes = new_york(market.day, settings.closes_at)
        self.accounts = simulated_accounts(settings)
        self.standing = settings.standing
        for account in self.accounts.values():
            account.earlier = day_trades(market, account.key, settings.earlier_day_trades)
        self._exchange = Exchange(market, opens=self._opens, closes=self._closes, book=self._book)
        chance = stream(seed, "desk")
        self._desk = Desk(market=market, exchange=self._exchange, settings=settings, chance=chance)
        hours, adjusted = (self._opens, self._closes), settings.adjusted
        self._quotes = QuoteBook(market, hours=hours, adjusted=adjusted)
        self._delayed_quotes = QuoteBook(market, hours=hours, adjusted=adjusted, delayed=True)
        self.realtime = True

    def advance(self, at: datetime) -> None:
        """Lets everything happen that happens up to `at`."""
        self._exchange.advance(at)

    def halt(self, symbol: str, how: How, at: datetime) -> None:
        """Halts a symbol from now on; KeyError for an unknown one."""
        self._market.halt(symbol, how, at)

    def resume(self, symbol: str, at: datetime) -> None:
        """Lets a halted symbol trade again."""
        self._market.resume(symbol, at)

    def answer(self, found: Route, request: Request, at: datetime) -> Answer:
        """The answer of one endpoint; Refused with E*TRADE's number otherwise."""
        match found.endpoint:
            case "quotes":
                book = self._quotes if self.realtime else self._delayed_quotes
                return book.answer(found.parts[0], request, at)
            case "lookup":
                return lookup(self._market.symbols, found.parts[0])
            case "accounts":
                return views.account_list(self.accounts.values())
            case "balance":
                return views.balance(self._account(found), request, self._scene(at), self.standing)
            case "portfolio":
                return views.portfolio(self._account(found), request, self._scene(at))
            case "transactions":
                return transactions.transaction_list(self._account(found), request, self._url)
            case "transaction":
                return transactions.transaction_details(self._account(found), found.parts[1])
            case _:
                return self._orders(found, request, at)

    def _orders(self, found: Route, request: Request, at: datetime) -> Answer:
        match found.endpoint:
            case "orders":
                return order_views.order_list(self._account(found), request, self._url)
            case "order":
                return self._single(found, request)
            case "preview" | "preview_change":
                return self._preview(found, request, at)
            case "place" | "place_change":
                return self._place(found, request, at)
            case "cancel":
                return self._cancel(found, request, at)
            case _:
                raise Refused(CATCH_ALL, code=100, status=500)

    def _book(self, order: Order, fill: Fill) -> None:
        self.accounts[order.account_key].book(fill)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol that can be quoted, the sensible watch list first."""
        return self._market.symbols

    def session(self, at: datetime) -> str:
        """Which part of the day it is, in words."""
        if at < self._opens:
            return "before the open"
        return "regular session" if at < self._closes else "after the close"

    def _in_hours(self, at: datetime) -> bool:
        return self._opens <= at < self._closes

    def _scene(self, at: datetime) -> Scene:
        return Scene(market=self._market, at=at, in_hours=self._in_hours(at), url=self._url)

    def _account(self, found: Route) -> Account:
        """The account of a path; its number in place of its key gives 102, as any unknown key."""
        account = self.accounts.get(found.parts[0])
        if account is None:
            raise Refused("Please enter valid Account Key", code=102)
        return account

    def _trading_account(self, found: Route) -> Account:
        account = self._account(found)
        if account.closed_at is not None:
            raise Refused("This account is closed.", code=1036)
        return account

    def _single(self, found: Route, request: Request) -> Answer:
        account, order_id = self._account(found), found.parts[1]
        order = account.orders.get(int(order_id)) if order_id.isascii() and order_id.isdigit() else None
        return order_views.single_order(account, order, request, self._url) if order else nothing_found()

    def _preview(self, found: Route, request: Request, at: datetime) -> Answer:
        account, ticket = self._trading_account(found), ticket_of(body_of(request.body, "PreviewOrderRequest"))
        self.standing.require_unrestricted(ticket.action)
        preview = self._desk.preview(account, ticket, at, self._changed(found, account, ticket))
        halt = self._market.message(ticket.symbol, at)
        return order_views.previewed(account, preview, at, self.standing, halt=halt)

    def _place(self, found: Route, request: Request, at: datetime) -> Answer:
        account, body = self._trading_account(found), body_of(request.body, "PlaceOrderRequest")
        ticket = ticket_of(body)
        self.standing.require_unrestricted(ticket.action)
        replaces = self._changed(found, account, ticket)
        order = self._desk.place(account, ticket, preview_id_of(body), at, replaces)
        return order_views.placed(account, order, in_hours=self._in_hours(at))

    def _changed(self, found: Route, account: Account, ticket: Ticket) -> Order | None:
        """The order that the path of a change names; None where nothing is changed."""
        return self._desk.changed(account, _order_id(found.parts[1]), ticket) if found.parts[1:] else None

    def _cancel(self, found: Route, request: Request, at: datetime) -> Answer:
        account, body = self._account(found), body_of(request.body, "CancelOrderRequest")
        order_id = _order_id(str(body.get("orderId", "")))
        return order_views.cancelling(account, self._desk.cancel(account, order_id, at), at)


def _order_id(text: str) -> int:
    """The number of an order in a request; Refused 1005 for anything else."""
    if not (text.isascii() and text.isdigit()):
        raise Refused("Invalid order id.", code=1005)
    return int(text)
