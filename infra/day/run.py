"""One market day through the whole graph: simulator, world, owner, clock, and the books compared at the end.

The market is opened and checked before anything is written. From then on every file goes into the run's own
folder; a run that stops half-way leaves that folder as it is, with everything that was committed until then.
"""

import time
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from infra.brokersim.market import Market, MarketFileError, daily_bars, open_market
from infra.brokersim.settings import SimulatorSettings
from infra.brokersim.simulator import Simulator
from infra.day import audit, environment
from infra.day.book import read_book
from infra.day.files import write_atomically
from infra.day.folder import RUNS, Card, Claim, claim, finished_twin
from infra.day.hours import Hours, hours
from infra.day.journal import JournalTail
from infra.day.ledger import read_ledger
from infra.day.owner import sign_in
from infra.day.problems import UserError
from infra.day.report import render
from infra.day.result import REPORT_FILE, SUMMARY_FILE, DayResult, DayStopped, OnProgress, Progress
from infra.day.summary import summarise
from infra.day.timing import timing
from infra.day.violations import violations
from infra.local.history import MarketHistory
from infra.local.kernel import Kernel
from infra.local.transport import WsgiAdapter
from infra.local.world import World
from shared.codec import dumps, loads
from shared.topology import TOPOLOGY

JOURNAL_FILE = "journal.jsonl"
CRASH_FILE = "crash.txt"
_STEP = {"max": timedelta(minutes=1), "real": timedelta(seconds=1)}
_QUIET = timedelta(hours=1)


def run_day(
    *,
    market_spec: str,
    config: str,
    seed: int,
    speed: str,
    state: Path | None,
    on_progress: OnProgress,
    runs: Path = RUNS,
) -> DayResult:
    """Run one day and write its files; `state` None takes the next folder of `runs`.

    Raises UserError for bad input (nothing is written then) and DayStopped for a run that did not finish.
    """
    began = time.monotonic()
    environment.require_config(config)
    market = _open(market_spec, seed)
    with claim(state, runs=runs) as ours:
        card = Card(market=market.name, config=config, seed=seed)
        ours.write_card(card)
        starts = hours(market.day).starts
        kernel = Kernel(start=starts, seed=seed, pace=1.0 if speed == "real" else None)
        with _stays(ours.path, kernel):
            day = _Day(market=market, market_spec=market_spec, card=card, kernel=kernel, ours=ours)
            with closing(day.world):
                day.play(on_progress, step=_STEP[speed])
                result = day.conclude(began)
                _write(result, day)
        ours.write_card(replace(card, status="finished"))
    return result


class _Day:
    """The moving parts of one run, wired to each other."""

    def __init__(self, *, market: Market, market_spec: str, card: Card, kernel: Kernel, ours: Claim) -> None:
        self.market, self.card, self.kernel, self.ours = market, card, kernel, ours
        self.hours: Hours = hours(market.day)
        self.watch_list = environment.watch_list(market_spec, market.symbols)
        self.simulator = Simulator(
            market=market, now=kernel.now, settings=_settings(card.seed), seed=card.seed
        )
        self.http = WsgiAdapter(self.simulator)
        self.world = World(
            kernel=kernel,
            topology=TOPOLOGY,
            state=ours.path,
            environ=environment.environ(config=card.config, watch_list=self.watch_list),
            http=self.http,
            history=MarketHistory(daily_bars(market_spec, seed=card.seed)),
            vault_key=environment.vault_key(card.seed),
            seed=card.seed,
        )
        self._journal = JournalTail(ours.path / JOURNAL_FILE)

    def play(self, on_progress: OnProgress, *, step: timedelta) -> None:
        """Let the day pass, telling `on_progress` once a step, and then what is still under way."""
        self.world.vault.add(*environment.consumer(self.card.seed))
        self.kernel.spawn(lambda: sign_in(self.world, self.http), at=self.hours.signs_in, name="owner")
        self.world.start_schedules(self.hours.ends)
        while self.kernel.now() < self.hours.ends:
            self.world.run(min(self.kernel.now() + step, self.hours.ends))
            on_progress(self._progress())
        quiet_by = self.hours.ends + _QUIET
        while not self.kernel.idle and self.kernel.now() < quiet_by:
            self.world.run(self.kernel.now() + timedelta(minutes=1))
        self.simulator.advance()

    def conclude(self, began: float) -> DayResult:
        """Compare the books and count."""
        ledger, book = read_ledger(self.simulator.ledger()), read_book(self.world.store)
        counts = self._journal.read()
        found = violations(
            ledger=ledger,
            book=book,
            undeclared=counts.undeclared,
            starting_cash=environment.STARTING_CASH,
            hours=self.hours,
        )
        wall_s = time.monotonic() - began
        return DayResult(
            folder=self.ours.path,
            card=self.card,
            hours=self.hours,
            watch_list=self.watch_list,
            summary=summarise(ledger=ledger, book=book, counts=counts, violations=found, wall_s=wall_s),
            timing=timing(ledger, book, self.hours),
            book=book,
            ledger=ledger,
            default_result=_default_result(self.card, self.ours.path),
            moved_to=self.ours.moved_to,
        )

    def _progress(self) -> Progress:
        counts, ledger = self._journal.read(), read_ledger(self.simulator.ledger())
        whole = self.hours.ends - self.hours.starts
        return Progress(
            at=self.kernel.now(),
            done=(self.kernel.now() - self.hours.starts) / whole,
            ticks=counts.ticks,
            orders=len(ledger.orders),
            fills=len(ledger.fills),
            realized=ledger.realized_pnl,
        )


@contextmanager
def _stays(folder: Path, kernel: Kernel) -> Iterator[None]:
    """Turn whatever stops the day into DayStopped; the details of a crash go to a file in the folder."""
    try:
        yield
    except BaseException as stop:
        interrupted = isinstance(stop, KeyboardInterrupt)
        if not interrupted:
            write_atomically(folder / CRASH_FILE, traceback.format_exc().encode())
        raise DayStopped(folder=folder, at=kernel.now(), interrupted=interrupted) from stop


def _open(spec: str, seed: int) -> Market:
    environment.require_market_file(spec)
    try:
        return open_market(spec, seed=seed)
    except MarketFileError as problem:
        raise UserError(str(problem), remedy="repair the file or take another one") from None
    except OSError as problem:
        remedy = "name a file that you may read"
        raise UserError(f"{spec} cannot be read: {problem.strerror}", remedy=remedy) from None


def _settings(seed: int) -> SimulatorSettings:
    return SimulatorSettings(
        consumer_key=environment.CONSUMER_KEY,
        consumer_secret=environment.consumer_secret(seed),
        starting_cash=environment.STARTING_CASH,
    )


def _default_result(card: Card, folder: Path) -> dict[str, Any] | None:
    """Give the newest known result of the same day under the default configuration."""
    if card.config == "default":
        return None
    twin = finished_twin(replace(card, config="default"), near=folder, file=SUMMARY_FILE)
    return loads(twin.read_bytes()) if twin else None


def _write(result: DayResult, day: _Day) -> None:
    write_atomically(result.folder / audit.FILE, audit.export(day.world.store))
    write_atomically(result.folder / SUMMARY_FILE, dumps(result.summary.plain()) + b"\n")
    write_atomically(result.folder / REPORT_FILE, render(result, day.market).encode())
