"""How long a call to the broker takes: the way there and back, and the broker's own time between.

A request travels 15 to 45 ms and its answer as long. The broker's own time comes on top: it begins when the call was
admitted, and a call that the limits refuse has none. The price of a quote is taken, an order enters the book and a
cancel is noted in the instant of the admission; the answer leaves when the time is over. So each answer is as old as it
can be, and an order may fill before whoever sent it knows that it was placed.

The own time is lognormal: a call takes a median of 150 ms in all, and 1.2 s at the most. It is a guess at a REST API
through the public Internet, not E*TRADE's own figures, which `strategy probe` finds out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

from infra.brokersim.chance import stream

TRAVEL_S = (0.015, 0.045)
"""How long a request or an answer travels, evenly drawn."""
MEDIAN_S = 0.150
LONGEST_S = 1.2
"""The middle and the longest time of a call in all, with both ways."""
_SPREAD = 0.85
"""Of the logarithm of the own time: one call in a hundred takes more than 0.7 s, one in six hundred the longest."""
_OWN_MEDIAN_S = MEDIAN_S - sum(TRAVEL_S)
_OWN_LONGEST_S = LONGEST_S - 2 * TRAVEL_S[1]

Wait = Callable[[float], object]
"""Lets so many simulated seconds pass."""


class Network(StrEnum):
    """How slow the simulated network is; the fast one has no broker's own time, and its scheduler is punctual."""

    SLOW = "slow"
    FAST = "fast"


WORDS = {
    Network.SLOW: "a call takes a median of 150 ms, 1.2 s at the most, and the scheduler is some seconds late",
    Network.FAST: "a call takes 30 to 90 ms, and the scheduler is punctual",
}
"""What a figure about time has to say beside it."""


class OwnTime:
    """The broker's own time for each call, seeded; each endpoint has draws of its own, which no other can shift."""

    def __init__(self, *, seed: int, wait: Wait) -> None:
        self._seed = seed
        self._wait = wait
        self._streams: dict[str, Callable[[], float]] = {}

    def draw(self, endpoint: str) -> float:
        """Draw the seconds that the next call of an endpoint takes, to the millisecond."""
        if endpoint not in self._streams:
            self._streams[endpoint] = _draws(stream(self._seed, "own time", endpoint).gauss)
        return self._streams[endpoint]()

    def after(self, body: bytes, seconds: float) -> Iterator[bytes]:
        """Give a body once so much time has passed, which begins when it is asked for."""
        self._wait(seconds)
        yield body


def there_and_back(travel: Callable[[], object], ask: Callable[[], Iterable[bytes]]) -> Iterator[bytes]:
    """Ask after one way, and give the answer after its own."""
    travel()
    answer = list(ask())
    travel()
    yield from answer


def _draws(gauss: Callable[[float, float], float]) -> Callable[[], float]:
    middle = math.log(_OWN_MEDIAN_S)
    return lambda: round(min(math.exp(gauss(middle, _SPREAD)), _OWN_LONGEST_S), 3)
