"""Repeating a read: tenacity, with every wait and every draw taken from the ports."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type

from shared.errors import BrokerError
from shared.ports import Chance, Clock

T = TypeVar("T")

READ_ATTEMPTS = 3
TOTAL_S = 8.0
_BASE_S = 0.2
_CAP_S = 2.0


class Retry:
    """Repetition with full jitter: base 0.2 s, cap 2 s, no new attempt after 8 s (order-safety.md 5)."""

    def __init__(self, *, clock: Clock, chance: Chance) -> None:
        self._clock = clock
        self._chance = chance

    def run(self, work: Callable[[int], T], *, attempts: int, on: tuple[type[BrokerError], ...]) -> T:
        """Call `work` with 1, 2, ... until it returns, fails with something else, or the budget is spent."""
        deadline = self._clock.now() + timedelta(seconds=TOTAL_S)
        attempt = count(1)

        def spent(state: RetryCallState) -> bool:
            if state.attempt_number >= attempts:
                return True
            return self._clock.now() + timedelta(seconds=state.upcoming_sleep) >= deadline

        retrying = Retrying(
            sleep=self._sleep, stop=spent, wait=self._wait, retry=retry_if_exception_type(on), reraise=True
        )
        return retrying(lambda: work(next(attempt)))

    def _wait(self, state: RetryCallState) -> float:
        return self._chance.uniform(0.0, min(_CAP_S, _BASE_S * 2 ** (state.attempt_number - 1)))

    def _sleep(self, seconds: float) -> None:
        self._clock.sleep_until(self._clock.now() + timedelta(seconds=seconds))
