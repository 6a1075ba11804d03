"""Many signals and one exit at once in real processes: who is served when, and whether each is decided in its life.

    python -m tests.benchmarks.burst [--cloud local|emulators] [--signals 20] [--speed X]

A position is bought first, and its stop rests at the broker. Then the signals are published and, last, the exit: it has
to cancel the stop, see it gone and sell, before any signal that waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from rich.console import Console
from rich.table import Table

from shared.codec import decode
from shared.domain.base.audit import AuditEvent
from shared.domain.base.ids import intent_id
from shared.domain.base.values import PriceType
from shared.domain.orders.orders import UNSENT, Kind, Order, State
from shared.domain.orders.positions import Position
from shared.domain.orders.watches import ExitDecision, following
from shared.domain.telling.messages import ExitPosition
from shared.usecases.base.desk import put, read
from shared.usecases.base.outbox import pack
from shared.usecases.orders.fills import position_path
from tests.benchmarks.order_path import PLACEMENT
from tests.benchmarks.outside import Outside, asked, at_work, intent_of, spread_over

LIFE_S = 60
HELD_S = 300
_TRIES = 5
_SENT_OR_NOT = frozenset(State) - UNSENT - {State.PLACING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One intent of the burst: when it was made, published, begun, sent (None if never) and decided.

    Seconds after the first signal was made. The beginning of the exit is its request to cancel the stop, that of a
    signal the intent that it becomes.
    """

    name: str
    outcome: str
    made: float
    published: float
    begun: float
    sent: float | None
    decided: float

    @property
    def in_its_life(self) -> bool:
        """Tell whether it was begun in its life, and sent in it or never, or given up because that was over."""
        last = self.begun if self.sent is None else self.sent
        return last - self.made <= LIFE_S or "SIGNAL_STALE" in self.outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """The exit and the signals, in the order in which they were begun, and how many calls came too fast."""

    exit: Served
    signals: tuple[Served, ...]
    throttled: int

    @property
    def overtook(self) -> tuple[Served, ...]:
        """Give the signals that were begun after the exit was published and before it was served."""
        return tuple(one for one in self.signals if self.exit.published < one.begun < self.exit.begun)

    @property
    def beside(self) -> tuple[Served, ...]:
        """Give the signals that were begun while the exit was being served."""
        return tuple(one for one in self.signals if self.exit.begun <= one.begun < self.exit.decided)


def main() -> None:
    """Run a burst and print it."""
    words = asked("burst", cloud="local", signals=20)
    words.add_argument("--speed", type=float, default=1.0)
    given = words.parse_args()
    found = burst(given.cloud, signals=given.signals, speed=given.speed)
    laid = Table(title=f"{given.signals} signals and one exit at once, {given.cloud}, s", title_justify="left")
    for name in ("", "published", "begun", "decided", "outcome"):
        laid.add_column(name, justify="left" if name in ("", "outcome") else "right")
    for one in sorted((found.exit, *found.signals), key=lambda served: served.begun):
        laid.add_row(one.name, *(f"{at:.2f}" for at in (one.published, one.begun, one.decided)), one.outcome)
    out = Console()
    out.print(laid)
    out.print(f"throttled {found.throttled}")


def burst(cloud: str, *, signals: int, speed: float) -> Burst:
    """Let a fresh desk hold a position and send it the signals and the exit."""
    return at_work(cloud, partial(_burst, count=signals), speed=speed)


def _burst(desk: Outside, count: int) -> Burst:
    desk.sign_in()
    free = list(desk.unwatched)
    symbol = _hold(desk, free)
    signals = desk.signals(spread_over(free, count))
    began = signals[0].decided_at
    published = [desk.publish(one) for one in signals]
    asked_at, exit_id = _ask_exit(desk, symbol)
    names = [*map(intent_of, signals), exit_id]
    desk.wait_for(partial(_decided, desk, names), within_s=3 * LIFE_S, every_s=2)
    events = [decode(AuditEvent, row.data) for row in desk.store.query("audit")]
    cancels = [one for one in events if one.after == State.CANCEL_REQ and one.actor == PLACEMENT and one.at >= asked_at]

    def after_s(at: datetime) -> float:
        return (at - began).total_seconds()

    def served(name: str, intent: str, made: datetime, at: datetime) -> Served:
        own = sorted((event for event in events if event.chain == intent), key=lambda event: event.seq)
        first = min([*own, *(cancels if intent == exit_id else ())], key=lambda event: event.at)
        end = next(event for event in own if event.after in _SENT_OR_NOT)
        sent = next((after_s(event.at) for event in own if event.after == State.PLACING), None)
        codes = own[-1].detail.get("codes", "")
        return Served(
            name=name, outcome=f"{own[-1].after} {codes}".strip(), made=after_s(made), published=after_s(at),
            begun=after_s(first.at), sent=sent, decided=after_s(end.at),
        )  # fmt: skip

    return Burst(
        throttled=desk.ledger().throttled,
        exit=served(f"exit {symbol}", exit_id, asked_at, asked_at),
        signals=tuple(
            served(f"signal {one.symbol}", intent_of(one), one.decided_at, at)
            for one, at in zip(signals, published, strict=True)
        ),
    )


def _hold(desk: Outside, free: list[str]) -> str:
    """Buy something, wait until its stop rests at the broker, and give its symbol."""
    for slot in range(_TRIES):
        symbol = free.pop(0)
        (signal,) = desk.signals([(symbol, slot)])
        desk.publish(signal)
        if desk.wait_for(partial(desk.ended, intent_of(signal)), within_s=HELD_S).filled:
            desk.wait_for(partial(_stop, desk, symbol), within_s=HELD_S)
            return symbol
    raise RuntimeError("nothing could be bought")


def _stop(desk: Outside, symbol: str) -> Order | None:
    orders = desk.orders(Kind.PROTECT).values()
    return next((one for one in orders if one.symbol == symbol and one.state is State.WORKING), None)


def _ask_exit(desk: Outside, symbol: str) -> tuple[datetime, str]:
    """Write the decision to sell into the watch, as the scan does, publish it, and give when and its id."""
    held = read(desk.store, Position, position_path(symbol))
    if held is None:
        raise RuntimeError(f"{symbol} is not held")
    position, now = held.value, desk.now()
    exit_id = intent_id(kind=Kind.EXIT, cause=position.position_id, session=position.session)
    decision = ExitDecision(
        exit_id=exit_id, reason="target", price_type=PriceType.MARKET, limit_price=None, decided_at=now, first_at=now
    )
    desk.store.commit([put(f"watches/{symbol}", replace(following(None, position), exit=decision))])
    message = ExitPosition(symbol=symbol, position_id=position.position_id, exit_id=exit_id, session=position.session)
    at = desk.now()
    desk.bus.publish("exits", pack(message), attributes={}, ordering_key=symbol)
    return at, exit_id


def _decided(desk: Outside, names: Sequence[str]) -> bool | None:
    orders = desk.orders(Kind.ENTRY) | desk.orders(Kind.EXIT)
    return all(name in orders and orders[name].state in _SENT_OR_NOT for name in names) or None


if __name__ == "__main__":
    main()
