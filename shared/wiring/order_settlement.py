"""order_settlement: ticks and OrderPlaced in, a book that equals the broker's."""

from shared import wiring
from shared.domain.messages import CloseTick, HaltAsked, Message, OrderPlaced, SettleTick
from shared.door import Handler, PushDoor
from shared.etrade.limits import Role
from shared.usecases import account
from shared.usecases.close import close
from shared.usecases.control import halt_by_link
from shared.usecases.settle import settle
from shared.usecases.trading import TradingDesk
from shared.usecases.watch import watch, watch_reads
from shared.wiring import Platform
from shared.wiring.cloud_bus import open_bus
from shared.wiring.rooms import room
from shared.wiring.trading import trading_desk

NAME = "order_settlement"


def door() -> PushDoor:
    """Open the door, when the function starts."""
    return wiring.door(NAME, _build, open_bus)


def handlers(desk: TradingDesk) -> dict[type[Message], Handler]:
    """Say what is done with each message."""

    def take_tick() -> None:
        watch(desk)
        look = settle(desk, list_first=True)
        if look is not None and look.balance is not None:
            account.tell(desk, look.balance)
        watch_reads(desk)

    return {
        OrderPlaced: lambda _envelope, _placed: settle(desk),
        SettleTick: lambda _envelope, _tick: take_tick(),
        HaltAsked: lambda _envelope, _asked: halt_by_link(desk),
        CloseTick: lambda _envelope, _tick: close(desk),
    }


def _build(platform: Platform) -> PushDoor:
    desk = trading_desk(platform, room(platform), Role.SETTLEMENT)
    return PushDoor(desk=desk, halts=True, tells=True, handlers=handlers(desk))
