"""Where the reports of sessions lie, and that a system writes its own at the end of each.

What can go wrong: the disk is full, the store does not answer just then, the system is started again after the close.
What this promises: a report that cannot be written stops nothing and is tried again at the next look; one that is
written replaces the one before as a whole.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from infra.operations.reported import System, session_facts
from infra.results.facts import Facts
from infra.results.figures import figures
from infra.results.plain import plain
from infra.simulated_day.files import write_atomically
from shared.codec import dumps
from shared.domain.base.calendar import TradingSession, session_at
from shared.usecases.base.desk import Desk

FOLDER = "reports"
AFTER = timedelta(minutes=10)
"""After the close: the last fills are booked by then."""


def write(facts: Facts, folder: Path, name: str, *, strategies: str = "") -> Path:
    """Write a report as a page and as JSON, and give the page; raises UserError.

    `strategies` is the folder of the owner's own, whose reasons the page says.
    """
    from infra.results.page import render  # here: nobody else of the commands needs the chart library

    folder.mkdir(parents=True, exist_ok=True)
    found, page = figures(facts), folder / f"{name}.html"
    write_atomically(folder / f"{name}.json", dumps(plain(facts, found)) + b"\n")
    write_atomically(page, render(facts, found, strategies).encode())
    return page


@dataclass(slots=True)
class KeptReports:
    """Writes the report of each session of a system that runs, once the session is over; `strategies` as above."""

    desk: Desk
    system: System
    state: Path
    strategies: str = ""
    done: TradingSession | None = None

    def due(self) -> TradingSession | None:
        """Give the session whose report is to be written now, None where there is none."""
        session = session_at(self.desk.clock.now())
        if session is None or session == self.done or self.desk.clock.now() < session.closes_at + AFTER:
            return None
        return session

    def write(self, session: TradingSession) -> Path:
        """Write a session's report and give its page; raises StoreDown, UserError, OSError."""
        facts = session_facts(self.desk, session, self.system)
        page = write(facts, self.state / FOLDER, session.day.isoformat(), strategies=self.strategies)
        self.done = session
        return page
