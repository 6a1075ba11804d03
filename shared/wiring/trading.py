"""The desk of a function that trades: broker, strategy configuration and mandate."""

from datetime import datetime
from typing import assert_never

from shared.domain.values import Venue
from shared.errors import ConfigError
from shared.etrade.client import EtradeBroker
from shared.etrade.limits import Limits, Role
from shared.paper.broker import PaperBroker, Source
from shared.ports import Broker
from shared.settings import NOT_YET, Mode, Settings
from shared.strategies.config import load
from shared.usecases.listing import OrderLists
from shared.usecases.reads import NotedBroker
from shared.usecases.renew import renew
from shared.usecases.trading import Mandate, TradingDesk
from shared.wiring import Platform
from shared.wiring.authority import authority
from shared.wiring.credentials import VaultCredentials
from shared.wiring.rooms import Room


def trading_desk(platform: Platform, room: Room, role: Role) -> TradingDesk:
    """Add the broker, with this role's share of the rate limits, to a desk."""
    desk, chosen = room.desk, room.settings
    broker = _broker(_etrade(platform, room, role), room, on_network=platform.http is None)
    if role is not Role.SCAN:
        broker = NotedBroker(broker, desk)
    lists = OrderLists(broker=broker, clock=desk.clock, journal=desk.journal)
    mandate = Mandate(
        account_id=chosen.account_id, capital_usd=chosen.capital_usd, watch_list=chosen.watch_list,
        venue=_venue(chosen),
    )  # fmt: skip
    return TradingDesk(
        actor=desk.actor, clock=desk.clock, chance=desk.chance, store=desk.store, bus=desk.bus, journal=desk.journal,
        broker=broker, lists=lists, config=load(chosen.config), mandate=mandate,
    )  # fmt: skip


def _venue(chosen: Settings) -> Venue:
    if chosen.mode is Mode.PAPER:
        return Venue.PAPER
    return Venue.SANDBOX if chosen.sandbox else Venue.PRODUCTION


def _etrade(platform: Platform, room: Room, role: Role) -> EtradeBroker:
    desk, chosen = room.desk, room.settings
    limits = Limits(clock=desk.clock, role=role, market_per_minute=chosen.rate_limit, market_burst=chosen.burst_limit)
    credentials, oauth = VaultCredentials(platform, room), authority(platform, room)

    def mend(asked_at: datetime) -> bool:
        credentials.forget()
        return renew(desk, oauth, asked_at=asked_at)

    return EtradeBroker(
        credentials=credentials, mend=mend, sandbox=chosen.sandbox, clock=desk.clock, chance=desk.chance,
        journal=desk.journal, limits=limits, caller=desk.actor, http=platform.http,
    )  # fmt: skip


def _broker(etrade: EtradeBroker, room: Room, *, on_network: bool) -> Broker:
    """Choose who takes the orders; on paper nothing but these two questions reaches E*TRADE.

    Raises ConfigError for live orders that could reach production.
    """
    desk, chosen = room.desk, room.settings
    match chosen.mode:
        case Mode.LIVE:
            if on_network and not chosen.sandbox:
                raise ConfigError((NOT_YET,))
            return etrade
        case Mode.PAPER:
            source = Source(accounts=etrade.accounts, quotes=etrade.quotes)
            return PaperBroker(
                source=source, store=desk.store, clock=desk.clock, journal=desk.journal, capital_usd=chosen.capital_usd
            )
        case _:
            assert_never(chosen.mode)
