"""One market day through the whole graph, from a market's name to a folder of results.

The market is opened and checked before anything is written. From then on every file goes into the run's own
folder; a run that stops half-way leaves that folder as it is, with everything that was committed until then.
"""

import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from shlex import quote

from infra.brokersim.market import Market, MarketFileError, open_market
from infra.one_machine.clock import KernelClock
from infra.one_machine.kernel import Kernel
from infra.results.facts import Beside
from infra.results.figures import figures
from infra.results.page import render
from infra.results.plain import beside, plain
from infra.simulated_day import account, audit, environment
from infra.simulated_day.book import read_book
from infra.simulated_day.chosen import Chosen, choose, write
from infra.simulated_day.facts import Ran, day_facts
from infra.simulated_day.files import write_atomically
from infra.simulated_day.folder import RUNS, Card, Claim, claim, finished_twin
from infra.simulated_day.hours import hours
from infra.simulated_day.machine import Machine, Surroundings
from infra.simulated_day.paper import starting_cash
from infra.simulated_day.problems import UserError
from infra.simulated_day.result import REPORT_JSON, SUMMARY_FILE, DayResult, DayStopped, OnProgress
from infra.simulated_day.summary import summarise
from infra.simulated_day.timing import timing
from infra.simulated_day.violations import violations
from shared.codec import dumps, loads
from shared.settings import OWN_STRATEGIES

CRASH_FILE = "crash.txt"
_USUAL = Surroundings()
_STEP = {"max": timedelta(minutes=1), "real": timedelta(seconds=1)}


def run_day(
    *,
    market_spec: str,
    config: str,
    seed: int,
    speed: str,
    state: Path | None,
    on_progress: OnProgress,
    runs: Path = RUNS,
    environ: Mapping[str, str] | None = None,
    around: Surroundings = _USUAL,
    on_warning: Callable[[str], object] = lambda _: None,
) -> DayResult:
    """Run one day and write its files; `state` None takes the next folder of `runs`.

    `config` is a configuration that ships, by its name, or a TOML file of one's own (infra.simulated_day.chosen).
    `environ` is a person's own environment, of which a day honours `environment.HONOURED`; `on_warning` gets what a
    person should know before the day begins.
    Raises UserError for bad input (nothing is written then) and DayStopped for a run that did not finish.
    """
    began = time.monotonic()
    wanted = choose(config, (environ or {}).get(OWN_STRATEGIES, ""))
    market = open_checked(market_spec, seed)
    when = around.hours(hours(market.day))
    chosen = environment.environ(
        environ or {}, config=wanted.name, market_spec=market_spec, symbols=market.symbols, mode=around.mode
    )
    with claim(state, runs=runs) as ours:
        card = Card(market=market.name, config=wanted.label, seed=seed, network=around.network.value)
        ours.write_card(card)
        pace, in_order = 1.0 if speed == "real" else None, around.stated is not None
        kernel = Kernel(start=when.starts, seed=seed, pace=pace, in_order=in_order)
        with _stays(ours.path, kernel):
            machine = Machine(
                market=market,
                market_spec=market_spec,
                environ=chosen,
                hours=when,
                kernel=kernel,
                seed=seed,
                folder=ours.path,
                around=around,
            )
            with closing(machine):
                if wanted.file is not None:
                    write(wanted.file, machine.world.store, KernelClock(kernel), machine.settings)
                for sentence in machine.known_before:
                    on_warning(sentence)
                machine.play(on_progress, step=_STEP[speed])
                result = _conclude(machine, card=card, ours=ours, began=began, market=market, wanted=wanted)
                _write(result, machine, chosen.get(OWN_STRATEGIES, ""))
        ours.write_card(replace(card, status="finished"))
    return result


def _conclude(machine: Machine, *, card: Card, ours: Claim, began: float, market: Market, wanted: Chosen) -> DayResult:
    """Compare the books and count."""
    ledger, book, counts = machine.ledger(), read_book(machine.world.store), machine.journal.read()
    starting = starting_cash(machine.settings)
    found = violations(
        ledger=ledger, book=book, undeclared=counts.undeclared, starting_cash=starting, hours=machine.hours
    )
    measured = timing(ledger, book, machine.hours, took_ms=counts.took_ms)
    summary = summarise(
        ledger=ledger, book=book, counts=counts, violations=found, wall_s=time.monotonic() - began,
        looks=measured.looks, network=card.network,
    )  # fmt: skip
    ran = Ran(
        card=card, hours=machine.hours, watch_list=machine.settings.watch_list, summary=summary, timing=measured,
        book=book, ledger=ledger, starting=starting, troubles=dict(sorted(counts.troubles.items())),
        beside=_beside(card, ours.path), known_before=machine.known_before,
        account=account.told(machine.settings.account_id, wanted.config.account.day_trade_rule), end=machine.end,
    )  # fmt: skip
    facts = day_facts(ran, market)
    return DayResult(
        folder=ours.path, card=card, hours=ran.hours, watch_list=ran.watch_list, summary=summary, timing=measured,
        book=book, ledger=ledger, troubles=ran.troubles, crashed=counts.crashed, moved_to=ours.moved_to,
        known_before=ran.known_before, account=ran.account, facts=facts, figures=figures(facts),
    )  # fmt: skip


def _write(result: DayResult, machine: Machine, own: str) -> None:
    write_atomically(result.folder / audit.FILE, audit.export(machine.world.store))
    write_atomically(result.folder / SUMMARY_FILE, dumps(result.summary.plain()) + b"\n")
    write_atomically(result.folder / REPORT_JSON, dumps(plain(result.facts, result.figures)) + b"\n")
    write_atomically(result.report, render(result.facts, result.figures, own).encode())


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


def open_checked(spec: str, seed: int) -> Market:
    """Open a market; raises UserError for a file that cannot be read or trusted."""
    environment.require_market_file(spec)
    try:
        return open_market(spec, seed=seed)
    except MarketFileError as problem:
        raise UserError(str(problem), remedy="repair the file or take another one") from None
    except OSError as problem:
        remedy = "name a file that you may read"
        raise UserError(f"{spec} cannot be read: {problem.strerror}", remedy=remedy) from None


def _beside(card: Card, folder: Path) -> tuple[Beside, ...]:
    """Give the newest known result of the same day under the default configuration, or how to get it."""
    if card.config == "default":
        return ()
    twin = finished_twin(replace(card, config="default"), near=folder, file=REPORT_JSON)
    if twin is None:
        again = f"strategy day --config default --market {quote(card.market)} --seed {card.seed}"
        how = f"not run yet; this runs it: {again} --network {card.network}"
        return (Beside(name="default", note=how),)
    return (beside("default", loads(twin.read_bytes()), note="the same day and seed"),)
