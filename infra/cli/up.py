"""`strategy up`: every function as a process of its own, until Ctrl-C or the end of the simulated day."""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, time
from pathlib import Path
from shlex import quote

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.archives import ArchiveError
from infra.brokersim.network import Network
from infra.cli import money_words as money
from infra.cli import opening
from infra.cli.exits import BROKEN, say, told_to_end
from infra.cli.status_words import stated
from infra.cli.whose import unattended
from infra.one_machine.owners_desk import owners_desk
from infra.one_machine.timeline import PacedClock
from infra.operations.kept_reports import KeptReports
from infra.operations.look import overview
from infra.operations.reported import System
from infra.operations.systems import again
from infra.running.folder import CARD
from infra.running.libraries import install, needed
from infra.running.outside import REAL, Outside
from infra.running.plan import Broker, Plan, plan
from infra.running.settings import settings_of
from infra.running.station import Station
from infra.running.status import Status, lasts
from infra.running.wanted import STATES, given, require_set_up
from infra.simulated_day import account
from infra.simulated_day.hours import clock, day_and_time
from infra.simulated_day.problems import UserError
from shared.domain.control.config import StrategyConfig
from shared.domain.control.control import TradingState
from shared.domain.orders.versions import Version, until_close
from shared.domain.telling.wording import count
from shared.errors import ConfigError, DeskError, Malformed, StoreDown
from shared.ports import Store
from shared.settings import OWN_STRATEGIES, Mode, Settings
from shared.strategies import config as strategies
from shared.usecases.control import configuration, control

_END = {
    "local": "Ctrl-C ends it. This command goes on from there, from any folder:",
    "emulators": "Ctrl-C ends it, and everything that the emulators hold; the next start is empty.",
}
_TELL_EVERY_S = 30.0
_MAKE_ROOM = "correct that and start again; what the folder holds is whole, and the system goes on from there"


def run(
    *, broker: str, mode: str, cloud: str, state: Path | None, port: int, market: str | None, config: str | None,
    seed: int | None, speed: float, starts: str | None, network: Network | None = None,
) -> None:  # fmt: skip
    """Run a desk; raises UserError for what cannot be run and typer.Exit for a fault in the code."""
    simulated: dict[str, object] = {"market": market, "seed": seed, "network": network}
    simulated |= {"starts": None if starts is None else _time(starts)}
    folder = state or STATES / f"{broker}-{mode}"
    wanted = plan(
        broker=broker, mode=Mode(mode), cloud=cloud, state=folder,
        environ=os.environ if broker == "simulator" else given(folder, os.environ),
        config=config, port=port, speed=speed,
        **{name: value for name, value in simulated.items() if value is not None},
    )  # fmt: skip
    if broker != "simulator":
        require_set_up(folder, os.environ)
    serve(wanted)


def serve(wanted: Plan, outside: Outside = REAL) -> None:
    """Run what was planned; raises as `run`."""
    console = Console()
    try:
        with told_to_end() as told:
            _serve(wanted, outside, console, told)
    except ConfigError as wrong:
        what = "the system cannot run:\n" + "\n".join(f"  - {problem}" for problem in wrong.problems)
        raise UserError(what, remedy="correct that and start again; what the folder holds is as it was") from None
    except StoreDown as down:
        raise UserError(f"the disk refuses to write: {down.detail}", remedy=_MAKE_ROOM) from None
    except OSError as problem:
        raise UserError(f"this machine refuses: {problem}", remedy=_MAKE_ROOM) from None
    except ArchiveError as problem:
        say(f"Error: {problem}")
        raise typer.Exit(BROKEN) from None


def _serve(wanted: Plan, outside: Outside, console: Console, told: threading.Event) -> None:
    for line in opening.others((wanted.state,)):
        console.print(line, soft_wrap=True, markup=False, highlight=False)
    if wanted.broker != "simulator":
        settings_of(wanted, None)  # what is wrong with them is told before anything is installed
    for extra in needed(wanted):
        install(extra, say=lambda line: console.print(line, soft_wrap=True, markup=False, highlight=False))
    starting = f"Starting the functions; {wanted.state} keeps what they do."
    before = (wanted.state / CARD).exists()
    with Station(wanted, outside, starting=lambda: console.print(starting, markup=False, highlight=False)) as station:
        console.print(_table(station.status()))
        for line in _said(station, restarted=before):
            console.print(line, soft_wrap=True, markup=False, highlight=False)
        reports = _reports(station)
        ended = threading.Event()
        threading.Thread(target=_hand_on, args=(station, told), daemon=True).start()
        threading.Thread(target=_tell, args=(station, console, reports, ended), daemon=True).start()
        try:
            station.run()
        finally:
            ended.set()
            at = station.timeline.now()
            console.print(f"Ending at {clock(at)} New York.", highlight=False)
            if at < station.ends_at:
                station.rest()  # first: until the last function has ended it may still trade
            _tell_left(station, console)
            _report(reports, console)
        if at >= station.ends_at:
            _judge(station, console)


def _said(station: Station, *, restarted: bool) -> Iterator[str]:
    """Say what begins: whose money, what keeps it from trading, what it goes on with, and the commands for it."""
    wanted, state = station.plan, station.folder.path
    mode = "paper: no order leaves this machine" if wanted.mode is Mode.PAPER else f"live at the {wanted.broker}"
    yield f"Mode      {mode}"
    yield f"Trades    {traded(station.settings, wanted.broker, newest(station.store))}"
    if waits(station.store, station.timeline.now()):
        yield "          what it loosens waits for the next session: `strategy config show`"
    if wanted.broker == "simulator":
        yield f"Account   {held_in(station.settings, newest(station.store))}"
    if (stands := in_force(station.store)) is not None:
        yield stands
    if restarted and wanted.cloud == "local":
        yield f"Goes on   {goes_on(station.store, station.timeline.now(), simulated=wanted.broker == 'simulator')}"
    yield from station.known_before
    here = f"{'' if wanted.cloud == 'local' else f'--profile {wanted.cloud} '}--state {quote(str(state))}"
    for what, does in (
        ("Sign in", signing_in(station.store, station.timeline.now(), f"strategy login {here}")),
        ("Held", f"strategy status {here}  (also what it made today)"),
        ("Not held", f"strategy why SYMBOL {here}  (why it was not bought)"),
        ("Stop", f"strategy halt {here}"),
    ):
        yield f"{what:<9} {does}"
    yield f"Logs      {station.folder.logs}"
    yield _END[wanted.cloud]
    if wanted.cloud == "local" and (command := again(state)) is not None:
        yield command


def goes_on(store: Store, at: datetime, *, simulated: bool) -> str:
    """Say what a system goes on with that ran before: from when, what is held, and what is open."""
    said = ["with what the folder holds"]
    if simulated:
        said = [f"from {day_and_time(at)} New York, where it stopped; --starts is for a new folder"]
    with suppress(DeskError):
        seen = overview(store, at=at, running=True)
        held = count(seen.open_positions, "position") if seen.open_positions else "nothing"
        said.append(f"{held} held, {count(seen.live_orders, 'order')} open")
    return "; ".join(said)


def signing_in(store: Store, at: datetime, command: str) -> str:
    """Give the command that signs in, or say until when the owner is signed in."""
    with suppress(DeskError):
        if (until := lasts(store, at)) is not None:
            return f"is done, until {day_and_time(until)} New York at the latest"
    return command


def in_force(store: Store) -> str | None:
    """Say what keeps a desk from trading as it starts: a halt outlives every restart; None where nothing does."""
    with suppress(DeskError):
        found = control.standing(store)
        if found is not None and found.state is not TradingState.ACTIVE:
            return f"Trading   {stated(found)}; only `strategy resume` makes it looser"
    return None


def newest(store: Store) -> Version | None:
    """Give the configuration's newest version; None where the file that ships counts, or nobody can tell."""
    with suppress(DeskError):
        held = configuration.stored(store)
        return None if held is None else held.value.newest
    return None


def waits(store: Store, now: datetime) -> bool:
    """Tell whether a part of the newest configuration waits for the next session; what cannot be read does not."""
    with suppress(DeskError):
        held = configuration.stored(store)
        return held is not None and until_close(held.value, now) is not None
    return False


def traded(ours: Settings, broker: Broker, version: Version | None) -> str:
    """Say with what is traded, and what an entry needs first where nobody simulates the days before."""
    symbols = len(ours.watch_list)
    named = ours.config if version is None else f"version {version.number} ({version.note})"
    given = f"configuration {named}, {count(symbols, 'symbol')}, {ours.capital_usd:,} USD of capital"
    if version is None and ours.config == "demo":
        demo, default = strategies.load("demo"), strategies.load("default")
        given += (
            f"; {_votes(demo)} suffice, so that a day shows trades; as shipped (--config default) {_votes(default)} do"
        )
    return given if broker == "simulator" else f"{given}; an entry needs 20 daily bars of its symbol"


def _votes(config: StrategyConfig) -> str:
    return f"{config.signals.min_votes} of {len(config.strategies)} votes"


def held_in(ours: Settings, version: Version | None) -> str:
    """Say which of the simulated accounts is traded."""
    config = strategies.load(ours.config) if version is None else version.config
    return account.told(ours.account_id, config.account.day_trade_rule)


def _tell_left(station: Station, console: Console) -> None:
    """Say what is left behind, for who ends a desk in the middle of the day; nothing where nothing is."""
    with suppress(DeskError):
        seen = overview(station.store, at=station.timeline.now(), running=True)
        if seen.live_orders or seen.open_positions:
            left = f"{count(seen.live_orders, 'open order')} and {count(seen.open_positions, 'position')} stay"
            console.print(f"{left}: {unattended(station.plan.broker, station.plan.mode)}.", highlight=False)


def _judge(station: Station, console: Console) -> None:
    """Say how a simulated day ended; raises typer.Exit when something is true of it that must never be."""
    console.print(_line(station), highlight=False)
    found = station.verdict()
    for sentence in found:
        console.print(f"[bold red]Check failed:[/] {escape(sentence)}", soft_wrap=True)
    if found:
        raise typer.Exit(BROKEN)
    console.print("[green]All checks passed:[/] the books equal the simulated broker's, and nothing is left open.")


def _hand_on(station: Station, told: threading.Event) -> None:
    """Hand the wish to end on, on a thread of its own: whatever becomes of the console, Ctrl-C ends the desk."""
    told.wait()
    station.stop()


def _tell(station: Station, console: Console, reports: KeptReports, ended: threading.Event) -> None:
    """Say now and then how the desk is, and write the report of a session that is over."""
    while not ended.wait(_TELL_EVERY_S):
        console.print(_line(station), highlight=False)
        _report(reports, console)


def _reports(station: Station) -> KeptReports:
    """Give what writes the reports of a system."""
    wanted = station.plan
    desk = owners_desk(PacedClock(station.timeline), station.store, pace=wanted.speed)
    system = System(
        name=f"the system in {wanted.state}", configuration=station.settings.config, mode=wanted.mode,
        simulated=wanted.broker == "simulator",
    )  # fmt: skip
    own = os.environ.get(OWN_STRATEGIES, "")
    return KeptReports(desk=desk, system=system, state=station.folder.path, strategies=own)


def _report(reports: KeptReports, console: Console) -> None:
    """Write the report of a session that is over, once, and say where; what refuses it stops nothing."""
    if (session := reports.due()) is None:
        return
    try:
        page = reports.write(session)
    except (DeskError, UserError, OSError) as refused:
        console.print(f"No report of {session.day} yet: {refused}", soft_wrap=True, markup=False, highlight=False)
    else:
        console.print(f"Report    {page}", soft_wrap=True, markup=False, highlight=False)


def _line(station: Station) -> str:
    status = station.status()
    down = [one.name for one in status.functions if not one.answers]
    parts = [f"{clock(status.at)} New York", f"not answering: {', '.join(down)}" if down else "all functions healthy"]
    with suppress(StoreDown, Malformed):
        seen = overview(station.store, at=status.at, running=True)
        parts += [f"{seen.live_orders} open orders, {seen.open_positions} positions", money.short(seen.wealth)]
        parts += [f"{seen.dead_letters} failed messages"] if seen.dead_letters else []
    if status.trading not in {None, "ACTIVE"}:
        parts.append(f"trading is {status.trading}")
    if status.signed_out:
        parts.append("signed out: the day is settled")
    elif status.signed_in is False:
        parts.append("NOBODY IS SIGNED IN: nothing is traded")
    if status.refused:
        parts.append(f"REFUSED: {status.refused}")
    if status.given_up:
        parts.append(f"{status.given_up} undelivered messages")
    return "  ".join(parts)


def _table(status: Status) -> Table:
    table = Table(box=None, pad_edge=False, title=f"{day_and_time(status.at)} New York", title_justify="left")
    for name in ("Function", "Address", "Process"):
        table.add_column(name, no_wrap=True)
    for one in status.functions:
        table.add_row(one.name, one.address, str(one.pid))
    return table


def _time(text: str) -> time:
    try:
        return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - a time of day, New York
    except ValueError:
        raise UserError(f"{text} is not a time of day", remedy="write it like 09:25") from None
