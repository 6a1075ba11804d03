"""Have the access token woken: who trades only reads its record, asks token_refresh by message, and waits for it.

What can go wrong: fifty callers of an instance meet the same refusal; somebody has renewed already; the message is
late, or token_refresh is dead, or E*TRADE does not answer it; the token is dead for good. What this promises: an
instance asks once in `ASK_EVERY`, and whoever is refused meanwhile waits for that answer and no longer: in each
`ASK_EVERY` it stands still for `WAITS` at most, so that no exit waits in the turnstile behind a token. A reading goes
on when the record shows that the token was renewed, fails as it did when the record shows that it is dead, and fails as
`Asleep` when it shows neither in time: such a message comes again. An ask is lost without harm, for the next one
follows. A bus that does not answer holds up the one that asks, as with any message, and counts as an ask.
"""

from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

from shared.domain.broker.tokens import TokenRecord, stage_of
from shared.domain.telling.messages import RenewAsked
from shared.errors import Asleep
from shared.ports import Severity
from shared.usecases.base.desk import Desk, Held
from shared.usecases.base.outbox import pack
from shared.usecases.sign_in import token

TOPIC = "renew-asks"
WAITS = timedelta(seconds=3)
ASK_EVERY = timedelta(seconds=20)
LOOK_EVERY = timedelta(milliseconds=250)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Waking:
    """Has the token of one instance's desk woken; one object for all its threads, of which `one` works inside it."""

    def __init__(self, desk: Desk, *, one: AbstractContextManager[object]) -> None:
        self._desk = desk
        self._one = one
        self._last = _LONG_AGO

    def __call__(self, asked_at: datetime) -> bool:
        """Give whether the token that was refused in a reading of `asked_at` is awake now; False when it is dead.

        Raises Asleep when nobody has woken it within `WAITS`, NotSent or StoreDown.
        """
        clock = self._desk.clock
        first = token.current(self._desk.store)
        if not self._lives(first):
            return False
        if first is not None and first.value.renewed_at >= asked_at:
            return True
        until = self._ask(asked_at) + WAITS
        while (now := clock.now()) < until:
            clock.sleep_until(min(until, now + LOOK_EVERY))
            held = token.current(self._desk.store)
            # Not by its instants: they are another machine's.
            if held != first:
                return self._lives(held)
        raise Asleep(f"the access token sleeps: it was not renewed within {WAITS.seconds} s of asking for it")

    def _lives(self, held: Held[TokenRecord] | None) -> bool:
        return stage_of(held.value if held else None, self._desk.clock.now()).signs

    def _ask(self, asked_at: datetime) -> datetime:
        """Ask token_refresh, unless this instance has done so lately; gives the instant of the ask that counts."""
        now = self._desk.clock.now()
        with self._one:
            if now - self._last < ASK_EVERY:
                return self._last
            self._last = now
        self._desk.bus.publish(TOPIC, pack(RenewAsked(asked_at=asked_at)), attributes={})
        self._desk.journal.line("renewal_asked", Severity.WARNING, since=asked_at.isoformat())
        return now
