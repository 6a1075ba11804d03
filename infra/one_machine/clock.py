"""Time and chance of the one-machine world, behind the ports."""

import string
from datetime import datetime
from random import Random

from infra.one_machine.kernel import Kernel

_ALPHABET = string.ascii_letters + string.digits


class KernelClock:
    """The Clock port on the kernel: it waits by yielding."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def now(self) -> datetime:
        """Give the simulated instant, in UTC."""
        return self._kernel.now()

    def sleep_until(self, at: datetime) -> None:
        """Yield until the simulated instant `at`."""
        self._kernel.sleep_until(at)


class SeededChance:
    """The Chance port as a named stream: each name has its own draws, which no other caller can shift."""

    def __init__(self, *, seed: int, name: str) -> None:
        self._random = Random(f"{name}/{seed}")  # a text seed is hashed by SHA-512: equal on every machine

    def uniform(self, low: float, high: float) -> float:
        """Draw evenly between low and high."""
        return self._random.uniform(low, high)

    def token(self, length: int) -> str:
        """Draw `length` letters and digits; predictable by design, so never for a world with real money."""
        return "".join(self._random.choices(_ALPHABET, k=length))
