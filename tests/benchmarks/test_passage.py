"""What of a signal's way is ours, and what is the broker's and its limits'."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.orders.orders import State
from tests.benchmarks.order_path import percentile
from tests.benchmarks.passage import SENT, passage

AT = datetime(2013, 3, 4, 15, 0, tzinfo=UTC)


def _at(ms: int) -> datetime:
    return AT + timedelta(milliseconds=ms)


def _moved(ms: int, state: State, intent: str = "I1") -> dict[str, Any]:
    return {"event": "order", "at": _at(ms), "intent_id": intent, "state": state.value}


def _call(ms: int, endpoint: str, *, took: int, waited: int) -> dict[str, Any]:
    call = {"event": "broker_call", "at": _at(ms), "endpoint": endpoint, "ms": took, "waited_ms": waited}
    return call | ({"client_order_id": "I1"} if endpoint == "place" else {})


LINES = [
    _call(-5, "orders", took=3, waited=900),
    _moved(40, State.NEW),
    _call(150, "balance", took=20, waited=70),
    _moved(180, State.RESERVED),
    _call(300, "preview", took=30, waited=80),
    _moved(310, State.PREVIEWED),
    _moved(330, State.PLACING),
    _moved(335, State.NEW, "I2"),
    _call(1380, "place", took=25, waited=1000),
    _moved(1400, State.WORKING),
]


def test_what_the_broker_took_and_the_turns_are_not_ours() -> None:
    """Ours is the whole less the calls before the place request and every wait for a turn, the place request's too."""
    way = passage(LINES, "I1", published=AT, arrived=_at(1340))
    assert (way.whole, way.broker, way.waited) == (1340, 50, 1150)
    assert way.ours == 140
    assert way.steps == {"NEW": 40, "RESERVED": 50, "PREVIEWED": 20, "PLACING": 20, SENT: 10}
    assert sum(way.steps.values()) == way.ours


@pytest.mark.parametrize(("share", "value"), [(50, 20), (99, 40), (100, 40), (1, 10)])
def test_a_percentile_is_one_of_the_values(share: int, value: float) -> None:
    """A percentile is the smallest measured value that so many percent do not exceed."""
    assert percentile([40, 10, 30, 20], share) == value
