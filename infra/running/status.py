"""How a desk is at one instant: its processes, its messages, its trading state, whether the owner has signed in."""

from datetime import datetime
from typing import Any

from shared.domain.base.calendar import new_york_day
from shared.domain.broker.tokens import stage_of
from shared.domain.control.control import TradingState
from shared.errors import Malformed, StoreDown
from shared.frozen import frozen
from shared.ports import Store
from shared.usecases.control import control
from shared.usecases.sign_in import token


@frozen
class FunctionStatus:
    """One function's process: `answers` is its health, `pid` None while it is down."""

    name: str
    address: str
    pid: int | None
    answers: bool
    restarts: int


@frozen
class Status:
    """A desk at one instant; the counts are None where the cloud's services do not tell.

    `pending` are deliveries under way, `given_up` those that the bus gave up after their attempts: not the messages
    that a function put aside, which are among the desk's documents.
    `wall` and `desk` tell when and by which process it was written; `trading` is the trading state, `signed_in` whether
    there is a token, both None while the store does not tell; `signed_out` says that the day's token was ended with
    it. `refused` is what this machine refuses the desk (a write, a new process), None while all is well.
    """

    at: datetime
    wall: datetime
    desk: int
    trading: str | None
    signed_in: bool | None
    signed_out: bool
    functions: tuple[FunctionStatus, ...]
    pending: int | None
    given_up: int | None
    refused: str | None


def standing(store: Store, now: datetime) -> dict[str, Any]:
    """Read the trading state and whether there is a token; None for what the store does not tell."""
    try:
        found, signed = control.standing(store), signed_in(store, now)
    except (StoreDown, Malformed):
        return {"trading": None, "signed_in": None, "signed_out": False}
    trading = found.state.value if found else TradingState.ACTIVE.value
    return {"trading": trading, "signed_in": signed, "signed_out": signed_out(store, now)}


def lasts(store: Store, at: datetime) -> datetime | None:
    """Give until when the sign-in of now lasts at the latest, None where nobody is signed in; raises as `signed_in`."""
    held = token.current(store)
    return held.value.dies_at if held is not None and stage_of(held.value, at).signs else None


def signed_in(store: Store, now: datetime) -> bool:
    """Tell whether a token lives that signs broker calls; raises StoreDown, Malformed."""
    return not token.stage(store, now).signs_in


def signed_out(store: Store, now: datetime) -> bool:
    """Tell whether today's token was ended with its day, so that nobody has to sign in; raises StoreDown, Malformed."""
    held = token.current(store)
    ended_at = held.value.ended_at if held is not None and not held.value.by_owner else None
    return ended_at is not None and new_york_day(ended_at) == new_york_day(now)
