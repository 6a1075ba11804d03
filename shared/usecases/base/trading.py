"""What a use case that trades works with: the broker, the strategy's configuration and the owner's mandate."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from shared.domain.base.values import Venue
from shared.domain.control.config import StrategyConfig
from shared.domain.orders.orders import UNSENT, Order
from shared.domain.orders.positions import Position
from shared.errors import AnotherVenue
from shared.frozen import frozen
from shared.ports import Broker
from shared.usecases.base.desk import Desk
from shared.usecases.base.listing import OrderLists


@frozen
class Mandate:
    """What the owner lets the system do: on which account (number or key, "" = the pinned one), with how much USD.

    `venue` is where its orders go. Every order and every position remembers the one that it was made at, and a book in
    which anything is open at another one is not worked on: its stops protect nothing here, and shares of one account
    must not be sold in another. What was only written down and never sent is voided.
    """

    account_id: str
    capital_usd: Decimal
    watch_list: tuple[str, ...]
    operator: str = "owner"
    venue: Venue = Venue.SANDBOX


def nothing_rests() -> bool:
    """Do nothing: a broker works its orders itself."""
    return False


def as_started(desk: "TradingDesk") -> "TradingDesk":
    """Give the desk with the configuration that it was started with."""
    return desk


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingDesk(Desk):
    """A desk with a broker; `urgent` is the same broker for calls that go before all others at its limits.

    `clock_ahead` says by how much our clock is surely ahead of the broker's, None when that was not measured.
    `meet` lets orders that rest meet the market where no broker does that, and tells whether any rests.
    `limits_since` is when this process read settings and mandate: what is older may have been judged by others.
    `choose` gives the desk of this minute (usecases.control.configuration). `config_number` is the version of its
    configuration, `config_known` whether this process has read at all which one is in force: without that nothing is
    bought.
    """

    broker: Broker
    lists: OrderLists
    config: StrategyConfig
    mandate: Mandate
    urgent: Broker | None = None
    clock_ahead: Callable[[], timedelta | None] = lambda: None
    meet: Callable[[], bool] = nothing_rests
    limits_since: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    choose: "Callable[[TradingDesk], TradingDesk]" = as_started
    config_number: int = 0
    config_known: bool = True

    @property
    def of_this_minute(self) -> "TradingDesk":
        """Give the desk with the configuration that is in force in this minute."""
        return self.choose(self)

    @property
    def protecting(self) -> "TradingDesk":
        """Give the desk on which stops and exits are worked."""
        if self.urgent is None:
            return self
        return replace(self, broker=self.urgent, lists=self.lists.through(self.urgent))


def require_our_venue(desk: TradingDesk, open_: Iterable[Order | Position]) -> None:
    """Refuse to work on a book in which an order that was sent, or a position, is open at another venue.

    Raises AnotherVenue, a ConfigError, so that whatever is asked comes again once the mode is put right.
    """
    for one in open_:
        if one.venue is desk.mandate.venue or (isinstance(one, Order) and one.state in UNSENT):
            continue
        name = f"order {one.intent_id}" if isinstance(one, Order) else f"position {one.symbol}"
        what = f"{name} is open at {one.venue} and STRATEGY_MODE or ETRADE_SANDBOX now says {desk.mandate.venue}"
        raise AnotherVenue((f"{what}: set it back until nothing is open",))
