"""The brokers under contract: the real client on the simulator, and paper with quotes from it, in one small world."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from infra.brokersim.market import Row
from infra.brokersim.settings import Limit
from infra.brokersim.simulator import CASH_ACCOUNT_KEY, Simulator
from infra.one_machine.memory_store import MemoryStore
from shared.domain.base.values import PriceType, Side, Term
from shared.domain.broker.brokerage import BrokerOrder, Ticket
from shared.domain.broker.outcomes import Accepted, PlaceAnswer, Previewed
from shared.domain.broker.tokens import AccessToken
from shared.domain.broker.turns import Purpose, Turn
from shared.etrade.client import EtradeBroker
from shared.etrade.limits import Limits, Module, Role
from shared.etrade.session import Credentials
from shared.gcp.threads import Threads
from shared.paper.broker import PaperBroker, Source
from shared.ports import Broker, Clock, Store
from tests.etrade.world import KeptLines, SeededChance
from tests.infra.brokersim.world import (
    CONSUMER_KEY,
    CONSUMER_SECRET,
    DAY,
    NOON,
    SETTINGS,
    FakeClock,
    InProcess,
    ListedMarket,
    log_in,
)

KEY = CASH_ACCOUNT_KEY
CASH = Decimal(100_000)
SYMBOL, OTHER = "ZXAA", "ZXBB"
SOON_S = 4
"""Longer than any latency of a fill or a cancel that either broker has."""
_MANY = Limit(per_second=1_000, per_hour=1_000_000)


class SharedClock:
    """The Clock port over the simulator's clock: who waits moves the time of both."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """Give the instant of the simulator."""
        return self._clock.at

    def sleep_until(self, at: datetime) -> None:
        """Let time pass until then."""
        self._clock.at = max(self._clock.at, at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A broker on a market that a test wrote, and the time that both live in."""

    broker: Broker
    clock: FakeClock
    simulator: Simulator
    market: "MovedMarket"

    def wait(self, seconds: float = SOON_S) -> None:
        """Let time pass, looking at both symbols a little oftener than once a second, as the scan does."""
        until = self.clock.at + timedelta(seconds=seconds)
        while self.clock.at < until:
            self.clock.at = min(until, self.clock.at + timedelta(seconds=0.5))
            self.look()

    def look(self) -> None:
        """Look at both symbols; on paper let what rests meet the market, too."""
        self.broker.quotes([SYMBOL, OTHER])
        if isinstance(self.broker, PaperBroker):
            self.broker.meet()

    def move(self, bid: str, ask: str, *, size: int = 1000, last: str | None = None) -> None:
        """Move the market of SYMBOL at the next whole second, and let that second come."""
        self.clock.at = self.clock.at.replace(microsecond=0) + timedelta(seconds=1)
        self.market.add(self.clock.at, bid, ask, size=size, last=last)

    def place(self, ticket: Ticket) -> PlaceAnswer:
        """Preview and place a ticket."""
        previewed = self.broker.preview(KEY, ticket)
        assert isinstance(previewed, Previewed), previewed
        return self.broker.place(KEY, ticket, previewed.preview_ids, deadline=self.deadline)

    def placed(self, ticket: Ticket) -> int:
        """Preview and place a ticket that is taken; gives its number."""
        answer = self.place(ticket)
        assert isinstance(answer, Accepted), answer
        return answer.order_id

    def bought(self, quantity: int = 100, *, name: str = "Bought") -> int:
        """Buy shares at the touch and wait until they are there."""
        order_id = self.placed(ticket(name, quantity=quantity))
        self.wait()
        return order_id

    def order(self, order_id: int) -> BrokerOrder:
        """Read one order, which the list shows just so."""
        found = self.broker.order(KEY, order_id)
        assert found is not None
        assert found in self.broker.orders(KEY, since=DAY)
        return found

    def shares(self) -> dict[str, int]:
        """Give what the account holds."""
        return {held.symbol: held.quantity for held in self.broker.portfolio(KEY)}

    @property
    def deadline(self) -> datetime:
        """Three seconds from now."""
        return self.clock.at + timedelta(seconds=3)


class _Unhurried(Limits):
    """Limits under which every turn comes at once."""

    def take(self, module: Module, purpose: Purpose, *, within: timedelta | None = None) -> Turn:
        """Give a turn for ever."""
        return Turn(lane=0, at=NOON, until=NOON)

    def sent(self, module: Module, turn: Turn) -> None:
        """Note nothing."""


class MovedMarket(ListedMarket):
    """A market that a test goes on writing: 10.00 bid, 10.02 asked, 1,000 shares each, until it moves."""

    def __init__(self) -> None:
        begins = NOON - timedelta(hours=1)
        first = Row(begins, Decimal("10.00"), 1000, Decimal("10.02"), 1000, Decimal("10.01"), 0)
        super().__init__({SYMBOL: [first], OTHER: [first]})

    def add(self, at: datetime, bid: str, ask: str, *, size: int, last: str | None) -> None:
        """Write a row of SYMBOL."""
        price = Decimal(last) if last is not None else (Decimal(bid) + Decimal(ask)) / 2
        self._rows[SYMBOL].append(Row(at, Decimal(bid), size, Decimal(ask), size, price, 0))


def ticket(
    name: str = "Order1", *, side: Side = Side.BUY, quantity: int = 100, limit: str | None = "10.02",
    stop: str | None = None, term: Term = Term.GOOD_FOR_DAY, symbol: str = SYMBOL,
) -> Ticket:  # fmt: skip
    """Give a ticket: to buy 100 at 10.02 for the day unless told otherwise."""
    if stop is not None:
        limit = None
    kind = PriceType.STOP if stop else PriceType.LIMIT if limit else PriceType.MARKET
    return Ticket(
        client_order_id=name, symbol=symbol, side=side, quantity=quantity, price_type=kind, term=term,
        limit_price=Decimal(limit) if limit else None, stop_price=Decimal(stop) if stop else None,
    )  # fmt: skip


def sell(name: str = "Sell1", *, quantity: int = 100, limit: str | None = "10.00", stop: str | None = None) -> Ticket:
    """Give a ticket to sell."""
    term = Term.GOOD_FOR_DAY if stop is None else Term.GOOD_UNTIL_CANCEL
    return ticket(name, side=Side.SELL, quantity=quantity, limit=limit, stop=stop, term=term)


def open_desk(kind: str, *, at: datetime = NOON, store: Store | None = None) -> Desk:
    """Open a desk whose broker is the real client, or paper over it, on an account of 100,000 USD."""
    clock, market = FakeClock(at), MovedMarket()
    settings = replace(SETTINGS, market_limit=_MANY, accounts_limit=_MANY, orders_limit=_MANY)
    simulator = Simulator(market=market, now=clock, settings=settings, seed=1)
    client = log_in(simulator, clock).auth.client
    credentials = Credentials(
        consumer_key=CONSUMER_KEY, consumer_secret=CONSUMER_SECRET, token_dies_at=at + timedelta(hours=9),
        token=AccessToken(token=client.resource_owner_key, secret=client.resource_owner_secret),
    )  # fmt: skip
    shared, journal = SharedClock(clock), KeptLines()
    etrade = EtradeBroker(
        credentials=lambda: credentials, sandbox=False, clock=shared, chance=SeededChance(), journal=journal,
        limits=_unhurried(shared), side_by_side=Threads(shared), caller="a_function", purpose=Purpose.SETTLE,
        http=InProcess(simulator),
    )  # fmt: skip
    source = Source(accounts=etrade.accounts, quotes=etrade.quotes)
    paper = PaperBroker(source=source, store=store or MemoryStore(), clock=shared, journal=journal, capital_usd=CASH)
    return Desk(broker=paper if kind == "paper" else etrade, clock=clock, simulator=simulator, market=market)


def _unhurried(clock: Clock) -> Limits:
    """Give limits under which no call waits, so that a test sees every moment; the pace has tests of its own."""
    return _Unhurried(clock=clock, role=Role.PLACEMENT, turns=None)


def numbers(orders: Sequence[BrokerOrder]) -> list[int]:
    """Give the numbers of a list of orders, as it has them."""
    return [order.order_id for order in orders if order.order_id is not None]
