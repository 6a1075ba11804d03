"""order_placement: signals and exits in, at most one order each out; exits first."""

from contextlib import nullcontext

from shared import wiring
from shared.domain.telling.messages import EnterPosition, ExitPosition, Message
from shared.door import Handler, PushDoor, Turnstile
from shared.etrade.limits import Role
from shared.ports import Envelope
from shared.usecases.base.trading import TradingDesk
from shared.usecases.placing.enter import enter, waited_too_long
from shared.usecases.placing.leave import leave
from shared.wiring import Platform
from shared.wiring.cloud_bus import open_bus
from shared.wiring.rooms import room
from shared.wiring.trading import trading_desk

NAME = "order_placement"


def door() -> PushDoor:
    """Open the door, when the function starts."""
    return wiring.door(NAME, _build, open_bus)


def handlers(base: TradingDesk, turnstile: Turnstile) -> dict[type[Message], Handler]:
    """Say what is done with each message: one at a time, exits before signals."""

    def take_signal(_envelope: Envelope, message: EnterPosition) -> None:
        # What is too old only has to be written down: it takes no place from a signal that may still be sent.
        stale = waited_too_long(base.of_this_minute, message.signal)
        with nullcontext(0) if stale else turnstile.turn(is_exit=False) as ahead:
            enter(base.of_this_minute, message, ahead=ahead)  # a turn may be waited for across a minute

    def take_exit(_envelope: Envelope, message: ExitPosition) -> None:
        with turnstile.turn(is_exit=True):
            leave(base.of_this_minute.protecting, message)

    return {EnterPosition: take_signal, ExitPosition: take_exit}


def _build(platform: Platform) -> PushDoor:
    desk = trading_desk(platform, room(platform), Role.PLACEMENT)
    turnstile = Turnstile(desk.clock, places=platform.function.concurrency)
    return PushDoor(desk=desk, halts=True, tells=True, handlers=handlers(desk, turnstile))
