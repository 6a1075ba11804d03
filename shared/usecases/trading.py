"""What a use case that trades works with: the broker, the strategy's configuration and the owner's mandate."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from shared.domain.brokerage import FIRST_PAPER_ORDER
from shared.domain.config import StrategyConfig
from shared.domain.orders import Order
from shared.errors import ConfigError
from shared.ports import Broker
from shared.usecases.desk import Desk
from shared.usecases.listing import OrderLists


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """What the owner lets the system do: on which account (number or key, "" = the only one), with how much USD.

    `paper` says that orders are filled in our own store.
    """

    account_id: str
    capital_usd: Decimal
    watch_list: tuple[str, ...]
    paper: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingDesk(Desk):
    """A desk with a broker."""

    broker: Broker
    lists: OrderLists
    config: StrategyConfig
    mandate: Mandate


def require_one_mode(desk: TradingDesk, live: Iterable[Order]) -> None:
    """Refuse to work on a book with live orders of the other mode: their stops protect nothing here.

    Raises ConfigError, so that whatever is asked comes again once the mode is put right.
    """
    for order in live:
        number = order.broker_order_id
        if number is not None and (number >= FIRST_PAPER_ORDER) is not desk.mandate.paper:
            what = f"STRATEGY_MODE was changed while order {order.intent_id} is open: set it back until nothing is open"
            raise ConfigError((what,))
