"""How often the probe calls, and when it stops: stages of one module at one rate, and the first throttle answer.

What can go wrong: a measurement that asks too much has the key throttled for whoever else uses it, or goes on for ever.
What this promises: no call leaves before its turn, repetitions included; a stage ends with its time or with its first
throttle answer, and a module that was throttled is asked at no greater rate. So 10 minutes are at most 1,200 calls, a
sixth of what E*TRADE admits to one module in an hour (etrade-api.md 6).
"""

from datetime import UTC, datetime, timedelta

from shared.domain.broker.turns import Purpose, Turn
from shared.etrade.limits import Limits, Module, Role
from shared.frozen import frozen
from shared.ports import Clock

RATES = (1, 2, 3)
MODULES = (Module.MARKET, Module.ACCOUNTS, Module.ORDERS)
REST = timedelta(seconds=2)
REST_THROTTLED = timedelta(seconds=10)
_GUARD = timedelta(milliseconds=60)
"""What two calls may come closer on their way, as for our own limits: so no second has more of them than the rate."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class StageOver(Exception):
    """The stage has no more time for a call."""


class FirstThrottle(Exception):
    """E*TRADE answered that there were too many calls."""


@frozen
class Stage:
    """So many calls a second of one module, for so long."""

    module: Module
    rate: int
    lasts: timedelta


@frozen
class StageResult:
    """What came of a stage: calls that left, the most of them within any second, and whether one was throttled.

    `throttled_at` is which call that was, None where none was; `skipped` says why nothing was asked.
    """

    stage: Stage
    calls: int = 0
    reached: int = 0
    throttled_at: int | None = None
    failed: int = 0
    skipped: str = ""


def stages(minutes: float) -> tuple[Stage, ...]:
    """Give the stages of so many minutes, the slowest rate of every module first, all equally long."""
    lasts = timedelta(minutes=minutes) / (len(RATES) * len(MODULES))
    return tuple(Stage(module=module, rate=rate, lasts=lasts) for rate in RATES for module in MODULES)


class Pace(Limits):
    """Limits of the probe: a steady rate in the place of the account's turns."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock=clock, role=Role.PLACEMENT, turns=None)
        self._at = clock
        self._interval = timedelta(seconds=1)
        self._next = self._ends = _LONG_AGO

    def begin(self, stage: Stage) -> None:
        """Call at this stage's rate from now on, until its end."""
        now = self._at.now()
        self._interval = timedelta(seconds=1) / stage.rate + _GUARD
        self._next, self._ends = now, now + stage.lasts

    def calm(self) -> None:
        """Call once a second from now on, without an end."""
        self._interval, self._ends = timedelta(seconds=1), _LONG_AGO

    def take(self, module: Module, purpose: Purpose, *, within: timedelta | None = None) -> Turn | None:  # noqa: ARG002 - the same for all
        """Wait for the next turn and give it; raises StageOver when there is none before the stage's end."""
        at = max(self._at.now(), self._next)
        if self._ends != _LONG_AGO and at >= self._ends:
            raise StageOver
        self._at.sleep_until(at)
        return Turn(lane=0, at=at, until=at + self._interval)

    def sent(self, module: Module, turn: Turn) -> None:  # noqa: ARG002 - the same for all
        """Keep the distance from the instant at which the call leaves."""
        self._next = self._at.now() + self._interval

    def throttled(self, module: Module) -> None:  # noqa: ARG002 - whichever it is
        """End what is asked for; raises FirstThrottle."""
        raise FirstThrottle

    def answered(self, module: Module) -> None:
        """Go on."""


def most_in_a_second(instants: list[datetime]) -> int:
    """Give the most calls that left within any one second."""
    most = first = 0
    for last, at in enumerate(instants):
        while at - instants[first] >= timedelta(seconds=1):
            first += 1
        most = max(most, last - first + 1)
    return most
