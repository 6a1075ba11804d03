"""One signal's way from its publication to its place request, read from the journal of the function that went it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.domain.orders.orders import State

STEPS = (State.NEW, State.RESERVED, State.PREVIEWED, State.PLACING)
SENT = "sent"
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Milliseconds of one signal's way; `steps` are our own, up to each commit and at last to the place request."""

    whole: float
    broker: float
    waited: float
    steps: Mapping[str, float]

    @property
    def ours(self) -> float:
        """What neither the broker took nor the wait for a turn at it."""
        return self.whole - self.broker - self.waited


def passage(lines: Sequence[Mapping[str, Any]], intent: str, *, published: datetime, arrived: datetime) -> Passage:
    """Take the way of one intent apart; no other signal may have been in flight with it.

    `lines` are the function's, `at` an instant. The broker's time is that of the calls before the place request, as the
    client saw it; the wait for a turn counts the place request's own, too.
    """
    moved = {line["state"]: line["at"] for line in lines if line["event"] == "order" and line["intent_id"] == intent}
    calls = [line for line in lines if line["event"] == "broker_call" and line["at"] >= published]
    place = next(line for line in calls if line["endpoint"] == "place" and line["client_order_id"] == intent)
    before = [line for line in calls if line["at"] < place["at"]]
    steps, since = {}, published
    for state in STEPS:
        others = sum(line["ms"] + line["waited_ms"] for line in before if since < line["at"] <= moved[state])
        steps[state.value] = (moved[state] - since) / _MILLISECOND - others
        since = moved[state]
    steps[SENT] = (arrived - since) / _MILLISECOND - place["waited_ms"]
    return Passage(
        whole=(arrived - published) / _MILLISECOND, steps=steps, broker=float(sum(line["ms"] for line in before)),
        waited=float(sum(line["waited_ms"] for line in (*before, place))),
    )  # fmt: skip
