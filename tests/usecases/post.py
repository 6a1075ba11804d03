"""The bus and the journal of a bench: what was sent is kept, and brought at least once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from infra.one_machine.kernel import Kernel
from shared.ports import Scalar, Severity
from shared.topology import TOPOLOGY
from shared.usecases.base import outbox
from tests.usecases.gate import Died, Passes

PLACEMENT, SETTLEMENT, SCAN = "order_placement", "order_settlement", "market_scan"
CONSUMERS = {"signals": PLACEMENT, "exits": PLACEMENT, "orders-placed": SETTLEMENT, "settle-ticks": SETTLEMENT,
             "close-ticks": SETTLEMENT, "scan-ticks": SCAN}  # fmt: skip


class ListJournal:
    """A Journal that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, Mapping[str, Scalar]]] = []

    def line(self, event: str, severity: Severity = Severity.INFO, **fields: Scalar) -> None:
        """Keep one line."""
        self.lines.append((event, fields))

    def named(self, event: str) -> list[Mapping[str, Scalar]]:
        """Give the lines of one kind."""
        return [fields for name, fields in self.lines if name == event]


@dataclass(slots=True, eq=False)
class Owed:
    """A message that its consumer has not acknowledged."""

    topic: str
    body: bytes
    number: int
    published_at: datetime
    attempts: int = 0
    answered: int = 0


class ListBus:
    """Keeps what was published and delivers it at least once; `push` gives the status of one delivery."""

    def __init__(self, kernel: Kernel, push: Callable[[str, Owed, int], int]) -> None:
        self._kernel = kernel
        self._push = push
        self.sent: list[tuple[str, bytes]] = []
        self.owed: list[Owed] = []
        self.dead: list[Owed] = []
        self.muted: set[str] = {outbox.NOTICES, "history-asks"}
        self.copies: dict[str, int] = {}

    def take(self, topic: str, data: bytes) -> None:
        """Owe a message to its consumer from now on, as often as the topic doubles it; a muted topic loses it."""
        self.sent.append((topic, data))
        for _ in range(0 if topic in self.muted else self.copies.get(topic, 1)):
            owed = Owed(topic=topic, body=data, number=len(self.sent), published_at=self._kernel.now())
            self.owed.append(owed)
            self._start(owed, 0.03)

    def _start(self, owed: Owed, after_s: float) -> None:
        at = self._kernel.now() + timedelta(seconds=after_s)
        self._kernel.spawn(partial(self._attempt, owed), at=at, name=CONSUMERS[owed.topic])

    def _attempt(self, owed: Owed) -> None:
        function = TOPOLOGY.function(CONSUMERS[owed.topic])
        terms = next(one for one in function.subscriptions if one.topic == owed.topic)
        owed.attempts += 1
        attempt = owed.attempts
        due = self._kernel.now() + timedelta(seconds=min(terms.ack_deadline_s, function.timeout_s))
        timer = self._kernel.spawn(lambda: self._answer(owed, attempt, 504, terms), at=due, name="bus")
        try:
            status = self._push(function.name, owed, attempt)
        except Died:
            status = 503
        self._kernel.cancel(timer)
        self._answer(owed, attempt, status, terms)

    def _answer(self, owed: Owed, attempt: int, status: int, terms: Any) -> None:
        if owed.answered >= attempt or owed not in self.owed:
            return
        owed.answered = attempt
        if status == 204:
            self.owed.remove(owed)
        elif owed.attempts >= terms.max_attempts:
            self.owed.remove(owed)
            self.dead.append(owed)
        else:
            self._start(owed, min(terms.max_backoff_s, terms.min_backoff_s * 2 ** (owed.attempts - 1)))


class GatedBus:
    """A Bus whose publishes pass the gate."""

    def __init__(self, bus: ListBus, pass_: Passes) -> None:
        self._bus = bus
        self._pass = pass_

    def publish(self, topic: str, data: bytes, *, attributes: Mapping[str, str], ordering_key: str = "") -> str:
        """Take one message."""
        self._pass(f"publish {topic}", lambda: self._bus.take(topic, data))
        return str(len(self._bus.sent))


class SilentBus:
    """A Bus that nobody listens to."""

    def publish(self, topic: str, data: bytes, *, attributes: Mapping[str, str], ordering_key: str = "") -> str:
        """Take one message."""
        return "1"
