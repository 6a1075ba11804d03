"""What a use case that trades works with: the broker, the strategy's configuration and the owner's mandate."""

from dataclasses import dataclass
from decimal import Decimal

from shared.domain.config import StrategyConfig
from shared.ports import Broker
from shared.usecases.desk import Desk
from shared.usecases.listing import OrderLists


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """What the owner lets the system do: on which account (number or key, "" = the only one), with how much USD."""

    account_id: str
    capital_usd: Decimal
    watch_list: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingDesk(Desk):
    """A desk with a broker."""

    broker: Broker
    lists: OrderLists
    config: StrategyConfig
    mandate: Mandate
