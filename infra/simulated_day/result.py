"""What a day leaves behind, in memory and as files."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from infra.results.facts import Facts
from infra.results.figures import Figures
from infra.simulated_day.book import Book
from infra.simulated_day.folder import Card
from infra.simulated_day.hours import Hours
from infra.simulated_day.ledger import BrokerLedger
from infra.simulated_day.summary import Summary
from infra.simulated_day.timing import Timing
from shared.frozen import frozen

SUMMARY_FILE = "summary.json"
REPORT_FILE = "report.html"
REPORT_JSON = "report.json"


@frozen
class Progress:
    """Where a running day stands: simulated instant, part done 0 to 1, counts so far, profit in USD."""

    at: datetime
    done: float
    ticks: int
    orders: int
    fills: int
    realized: Decimal


OnProgress = Callable[[Progress], None]


@frozen
class DayResult:
    """A finished day with what its report is made of.

    `account` says which account it traded; `troubles` counts the errors in the journal; `crashed` says that one of them
    was a bug in a function; `known_before` are the sentences of what the market lacks.
    """

    folder: Path
    card: Card
    hours: Hours
    watch_list: tuple[str, ...]
    summary: Summary
    timing: Timing
    book: Book
    ledger: BrokerLedger
    troubles: Mapping[str, int]
    crashed: bool
    moved_to: Path | None
    facts: Facts
    figures: Figures
    known_before: tuple[str, ...] = ()
    account: str = ""

    @property
    def report(self) -> Path:
        """Where the report lies."""
        return self.folder / REPORT_FILE


class DayStopped(Exception):
    """A day that did not finish at the simulated instant `at`; `audit export` reads its folder."""

    def __init__(self, *, folder: Path, at: datetime, interrupted: bool) -> None:
        super().__init__(f"stopped at {at.isoformat()}; {folder} is kept")
        self.folder = folder
        self.at = at
        self.interrupted = interrupted
