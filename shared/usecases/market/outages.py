"""The scan's part of a price from elsewhere: it asks for one of what the broker has not quoted for a while.

What can go wrong: the broker's quotes fail for a second, for hours, or of one symbol alone; nobody is signed in; the
scan dies and begins anew. What this promises: what is held and has had no quote for as long as the setting says is
asked for, once in `EVERY`, and beside it what is watched where the broker quotes nothing at all; ten symbols at most.
An ask is lost without harm, for the next one follows; whatever becomes of it, the scan reads no answer. A scan that
begins anew counts from then.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.telling.messages import MOST_FALLBACKS, FallbackAsked
from shared.errors import BrokerError, StoreError
from shared.ports import Severity
from shared.usecases.base.desk import Desk
from shared.usecases.base.outbox import pack

TOPIC = "history-asks"
EVERY = timedelta(seconds=60)
AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What one instance of the scan leaves to the next: since when quotes are missing, and when it asked elsewhere."""

    missing: dict[str, datetime] = field(default_factory=dict)
    heard: datetime | None = None
    since: datetime | None = None
    asked: datetime | None = None


class Outages:
    """Since when each symbol that was asked for has had no quote; belongs to one instance of the scan."""

    def __init__(self, after: timedelta = AFTER) -> None:
        self._after = after
        self._missing: dict[str, datetime] = {}
        self._heard: datetime | None = None
        self._since: datetime | None = None
        self._asked: datetime | None = None

    def left(self) -> Missing:
        """Give what whoever goes on has to know."""
        return Missing(missing=dict(self._missing), heard=self._heard, since=self._since, asked=self._asked)

    def go_on_from(self, left: Missing | None) -> None:
        """Go on from what another instance left; count from now on where it left nothing."""
        left = left or Missing()
        self._missing, self._heard = dict(left.missing), left.heard
        self._since, self._asked = left.since, left.asked

    def look(
        self, desk: Desk, *, held: Collection[str], asked: Collection[str], quoted: Collection[str], at: datetime
    ) -> None:
        """Note which of the symbols asked for were quoted at an instant, and ask elsewhere for what has long been none.

        What was not asked for stays as it was. Raises nothing: what fails is journalled, and asked for again.
        """
        for name in asked:
            if name in quoted:
                self._missing.pop(name, None)
            else:
                self._missing.setdefault(name, at)
        self._heard = at if quoted or self._heard is None else self._heard
        nothing = at - self._heard >= self._after
        first = [*(name for name in held if name in self._missing), *(self._missing if nothing else ())]
        long = [name for name in dict.fromkeys(first) if at - self._missing[name] >= self._after][:MOST_FALLBACKS]
        if not long:
            self._since = None
        elif self._asked is None or at - self._asked >= EVERY:
            self._since = self._since or min(self._missing[name] for name in long)
            self._asked = at
            self._ask(desk, tuple(long), self._since)

    def _ask(self, desk: Desk, symbols: tuple[str, ...], since: datetime) -> None:
        try:
            desk.bus.publish(TOPIC, pack(FallbackAsked(symbols=symbols, since=since)), attributes={})
        except (BrokerError, StoreError) as problem:
            kind = type(problem).__name__
            desk.journal.line("fallback_not_asked", Severity.WARNING, kind=kind, detail=problem.detail)
        else:
            desk.journal.line("fallback_asked", Severity.WARNING, symbols=",".join(symbols), since=since.isoformat())
