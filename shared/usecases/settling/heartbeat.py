"""The heartbeat: somebody outside hears once a minute that the system works, and raises the alarm when it is silent.

What can go wrong: the machine, the region or the project is gone, and with it whatever could tell the owner. What this
promises: it is heard in the session only, only after a settlement tick that saw the order list, and only while the
scan saw usable quotes in the last minutes; what fails here fails nothing else.
"""

from datetime import timedelta

from shared.domain.base.calendar import is_open
from shared.errors import DeskError
from shared.ports import Pulse, Severity
from shared.usecases.base.trading import TradingDesk
from shared.usecases.settling.look import Look
from shared.usecases.settling.watch import scans_since, sights_of

LATELY = timedelta(minutes=3)
"""So long ago the last minute that the scan saw may have begun: the one under way is not written down yet."""


def beat(desk: TradingDesk, pulse: Pulse, look: Look | None) -> None:
    """Be heard after a tick that gave `look`, if the scan works, too."""
    now = desk.clock.now()
    if look is None or not look.sighted or not is_open(now):
        return
    try:
        seen = sights_of(scans_since(desk, now - LATELY))
        if seen and not seen[-1].blind and seen[-1].begins >= now - LATELY:
            pulse.beat()
    except DeskError as problem:
        desk.journal.line("no_heartbeat", Severity.WARNING, kind=type(problem).__name__, detail=problem.detail)
