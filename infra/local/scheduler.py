"""Cloud Scheduler on the kernel: publishes each schedule's fixed message at its New York times."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from infra.local.kernel import Kernel
from shared.errors import ConfigError, NotSent
from shared.ports import Bus
from shared.topology import NEW_YORK, Schedule

BodyOf = Callable[[str], bytes]
"""Gives the body of a scheduled message by its kind."""

_TRIES = 60


def instants(cron: str, start: datetime) -> Iterator[datetime]:
    """Give the instants of a cron line from `start` on, itself included, in UTC; raises ConfigError."""
    zone = ZoneInfo(NEW_YORK)
    try:
        times = CronSim(cron, start.astimezone(zone) - timedelta(seconds=1))
    except CronSimError as problem:
        raise ConfigError((f"cron line {cron!r}: {problem}",)) from None
    return (at for time in times if (at := time.astimezone(UTC)) >= start)


class LocalScheduler:
    """Runs schedules as invocations that sleep from one instant to the next."""

    def __init__(self, *, kernel: Kernel, bus: Bus, body_of: BodyOf) -> None:
        self._kernel = kernel
        self._bus = bus
        self._body_of = body_of

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
                self._kernel.sleep_until(at)
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
