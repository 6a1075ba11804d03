"""The desk of a function that trades: broker, strategy configuration and mandate."""

from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import assert_never

from shared.domain.base.values import Venue
from shared.domain.broker.turns import Purpose
from shared.domain.orders.versions import capped
from shared.errors import ConfigError
from shared.etrade.client import EtradeBroker
from shared.etrade.limits import MARKET_SHARES, PAPER_SHARES, Limits, Role, Uncounted
from shared.etrade.skew import BrokerClock
from shared.etrade.turns import AccountTurns
from shared.paper.broker import PaperBroker, Source
from shared.ports import Broker
from shared.settings import NOT_YET, Mode, Settings
from shared.strategies.config import load
from shared.usecases.base.listing import OrderLists
from shared.usecases.base.reads import NotedBroker
from shared.usecases.base.trading import Mandate, TradingDesk, nothing_rests
from shared.usecases.control.configuration import Configured
from shared.usecases.orders.account import judge
from shared.usecases.sign_in.wake import Waking
from shared.wiring import Platform
from shared.wiring.chosen import ceilings
from shared.wiring.credentials import VaultCredentials
from shared.wiring.rooms import Room


def trading_desk(platform: Platform, room: Room, role: Role) -> TradingDesk:
    """Add the broker, with this role's turns at the rate limits, to a desk."""
    desk, chosen = room.desk, room.settings
    broker_clock = BrokerClock(desk.clock)
    client = _etrade(platform, room, role, broker_clock)
    usual = client(Purpose.ENTER if role is Role.PLACEMENT else Purpose.SETTLE)
    broker = _broker(usual, room, on_network=platform.http is None)
    # What rests on paper meets the market in one place: whoever books the fills lets it.
    meet = broker.meet if isinstance(broker, PaperBroker) and role is Role.SETTLEMENT else nothing_rests
    urgent: Broker | None = client(Purpose.PROTECT) if broker is usual else None
    if role is not Role.SCAN:
        broker = noted = NotedBroker(broker, desk, judge=judge(desk, chosen.operator, chosen.account_id))
        urgent = None if urgent is None else noted.through(urgent)
    lists = OrderLists(broker=broker, clock=desk.clock, journal=desk.journal)
    mandate = Mandate(
        account_id=chosen.account_id, capital_usd=chosen.capital_usd, watch_list=chosen.watch_list,
        operator=chosen.operator, venue=_venue(chosen),
    )  # fmt: skip
    file, most, since = load(chosen.config), ceilings(chosen), desk.clock.now()
    return TradingDesk(
        actor=desk.actor, clock=desk.clock, chance=desk.chance, store=desk.store, bus=desk.bus, journal=desk.journal,
        broker=broker, urgent=urgent, lists=lists, config=capped(file, most), mandate=mandate,
        choose=Configured(file=file, ceilings=most, since=since), clock_ahead=broker_clock.ahead, meet=meet,
        limits_since=since,
    )  # fmt: skip


def _venue(chosen: Settings) -> Venue:
    if chosen.mode is Mode.PAPER:
        return Venue.PAPER
    return Venue.SANDBOX if chosen.sandbox else Venue.PRODUCTION


def _etrade(platform: Platform, room: Room, role: Role, broker_clock: BrokerClock) -> Callable[[Purpose], EtradeBroker]:
    """Give the client for each purpose; they share credentials, limits and what is known of the broker's clock."""
    desk, chosen = room.desk, room.settings
    turns = AccountTurns(store=desk.store, clock=desk.clock, chance=desk.chance, journal=desk.journal)
    limits = (Limits if platform.counted else Uncounted)(
        clock=desk.clock, role=role, turns=None if role is Role.SCAN else turns,
        market_per_minute=chosen.rate_limit, market_burst=chosen.burst_limit,
        shares=PAPER_SHARES if chosen.mode is Mode.PAPER else MARKET_SHARES,
    )  # fmt: skip
    credentials, wake = VaultCredentials(platform, room), Waking(desk, one=Lock())

    def mend(asked_at: datetime) -> bool:
        try:
            return wake(asked_at)
        finally:
            credentials.forget()

    def client(purpose: Purpose) -> EtradeBroker:
        return EtradeBroker(
            credentials=credentials, mend=mend, sandbox=chosen.sandbox, clock=desk.clock, chance=desk.chance,
            journal=desk.journal, limits=limits, side_by_side=platform.side_by_side, caller=desk.actor,
            purpose=purpose, http=platform.http, broker_clock=broker_clock,
        )  # fmt: skip

    return client


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
