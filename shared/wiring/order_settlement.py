"""order_settlement: ticks and OrderPlaced in, a book that equals the broker's."""

from shared import wiring
from shared.domain.telling.messages import CloseTick, HaltAsked, Message, OrderPlaced, SettleTick
from shared.door import Handler, PushDoor
from shared.etrade.limits import Role
from shared.ports import Pulse
from shared.usecases.base.trading import TradingDesk
from shared.usecases.control.clock_off import ClockWatch
from shared.usecases.control.control import halt_by_link
from shared.usecases.orders import account
from shared.usecases.settling.close import close
from shared.usecases.settling.heartbeat import beat
from shared.usecases.settling.settle import settle
from shared.usecases.settling.watch import watch, watch_sight
from shared.wiring import Platform
from shared.wiring.cloud_bus import open_bus
from shared.wiring.heartbeat import HttpPulse
from shared.wiring.rooms import room
from shared.wiring.trading import trading_desk

NAME = "order_settlement"


def door() -> PushDoor:
    """Open the door, when the function starts."""
    return wiring.door(NAME, _build, open_bus)


def handlers(desk: TradingDesk, pulse: Pulse | None = None) -> dict[type[Message], Handler]:
    """Say what is done with each message; `pulse` is heard at the end of each tick that did its work."""

    clock_watch = ClockWatch(desk)

    def take_tick() -> None:
        watch(desk)
        clock_watch.look()
        look = settle(desk.of_this_minute, list_first=True)
        if look is not None and look.balance is not None:
            account.tell(desk, look.balance)
            account.note(desk, look.balance)
        watch_sight(desk)
        if pulse is not None:
            beat(desk, pulse, look)

    return {
        OrderPlaced: lambda _envelope, _placed: settle(desk.of_this_minute),
        SettleTick: lambda _envelope, _tick: take_tick(),
        HaltAsked: lambda _envelope, asked: halt_by_link(desk, asked),
        CloseTick: lambda _envelope, _tick: close(desk.of_this_minute),
    }


def _build(platform: Platform) -> PushDoor:
    here = room(platform)
    desk = trading_desk(platform, here, Role.SETTLEMENT)
    address = here.settings.heartbeat_url
    pulse = HttpPulse(address=address, journal=desk.journal) if address else None
    return PushDoor(desk=desk, halts=True, tells=True, handlers=handlers(desk, pulse))
