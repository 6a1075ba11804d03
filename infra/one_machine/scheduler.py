"""Cloud Scheduler on the kernel: publishes each schedule's fixed message at its New York times.

Google promises no instant and no delivery: a job starts some seconds late, and now and then not at all. With a
`Lateness` the schedules here do the same. Each tick has a draw of its own, made from the seed and its instant alone, so
that nothing else that happens moves it.
"""

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from infra.one_machine.kernel import Kernel
from shared.domain.base.calendar import session_at
from shared.errors import ConfigError, NotSent
from shared.ports import Bus
from shared.topology import NEW_YORK, Schedule

BodyOf = Callable[[str], bytes]
"""Gives the body of a scheduled message by its kind."""

LATE_MEDIAN_S, LATE_P99_S = 1.0, 5.0
LOSES = "scan"
"""The schedule of which a late scheduler loses one tick in each session."""
_LATEST_S = 30.0
_SPREAD = math.log(LATE_P99_S / LATE_MEDIAN_S) / 2.326  # one normal draw in a hundred is beyond 2.326
_MINUTE = timedelta(minutes=1)
_TRIES = 60


def instants(cron: str, start: datetime) -> Iterator[datetime]:
    """Give the instants of a cron line from `start` on, itself included, in UTC; raises ConfigError."""
    zone = ZoneInfo(NEW_YORK)
    try:
        times = CronSim(cron, start.astimezone(zone) - timedelta(seconds=1))
    except CronSimError as problem:
        raise ConfigError((f"cron line {cron!r}: {problem}",)) from None
    return (at for time in times if (at := time.astimezone(UTC)) >= start)


class Lateness:
    """How late each tick is published, lognormal with a median of 1 s and a p99 of 5 s, and which one is lost."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def of(self, schedule: Schedule, at: datetime) -> timedelta:
        """Give how late the tick of an instant is, 30 s at the most."""
        draw = Random(f"late/{schedule.name}/{at.isoformat()}/{self._seed}").gauss(math.log(LATE_MEDIAN_S), _SPREAD)
        return timedelta(milliseconds=round(1000 * min(math.exp(draw), _LATEST_S)))

    def loses(self, schedule: Schedule, at: datetime) -> bool:
        """Tell whether the tick of an instant is never published: one minute of each session, of one schedule."""
        session = session_at(at)
        if schedule.name != LOSES or session is None:
            return False
        minutes = (session.closes_at - session.opens_at) // _MINUTE
        return at == session.opens_at + Random(f"lost/{session.day}/{self._seed}").randrange(minutes) * _MINUTE


class LocalScheduler:
    """Runs schedules as invocations that sleep from one instant to the next; punctual without a `lateness`."""

    def __init__(self, *, kernel: Kernel, bus: Bus, body_of: BodyOf, lateness: Lateness | None = None) -> None:
        self._kernel = kernel
        self._bus = bus
        self._body_of = body_of
        self._lateness = lateness

    def start(self, schedules: tuple[Schedule, ...], *, until: datetime) -> None:
        """Publish at every instant from now to `until`, both included; what was missed is not made up."""
        for schedule in schedules:
            times = instants(schedule.cron, self._kernel.now())
            self._kernel.spawn(self._job(schedule, times, until), name=f"schedule/{schedule.name}")

    def _job(self, schedule: Schedule, times: Iterator[datetime], until: datetime) -> Callable[[], None]:
        body = self._body_of(schedule.message)

        def run() -> None:
            for at in times:
                if at > until:
                    return
                if self._lateness is not None and self._lateness.loses(schedule, at):
                    continue
                late = timedelta(0) if self._lateness is None else self._lateness.of(schedule, at)
                self._kernel.sleep_until(at + late)
                self._publish(schedule.topic, body)

        return run

    def _publish(self, topic: str, body: bytes) -> None:
        """Publish a tick; what refuses it is asked again for a minute, then the next tick has to do."""
        for _ in range(_TRIES):
            try:
                self._bus.publish(topic, body, attributes={})
            except NotSent:
                self._kernel.sleep(1.0)
            else:
                return
