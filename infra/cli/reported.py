"""`strategy report`: writes the report of a session, as far as it has come, and says where."""

import os
import sys
import webbrowser
from datetime import date, datetime
from pathlib import Path

from infra.cli.bars import day
from infra.cli.exits import say
from infra.cli.hand import reached
from infra.operations.kept_reports import FOLDER, write
from infra.operations.look import typed
from infra.operations.profiles import Hand
from infra.operations.reported import System, session_facts
from infra.operations.runs import report_of, run_at
from infra.results.facts import Facts
from infra.results.figures import figures
from infra.results.headline import headline
from infra.results.plain import plain
from infra.simulated_day.book import receipts_on
from infra.simulated_day.problems import UserError
from infra.simulated_day.result import REPORT_FILE
from shared.codec import dumps
from shared.domain.base.calendar import TradingSession, new_york_day, session_before, session_of
from shared.domain.orders.positions import Ledger
from shared.settings import OWN_STRATEGIES


def report(
    profile: str, state: Path | None, *, session: str | None, out: Path | None, opens: bool, json: bool
) -> None:  # fmt: skip
    """Write a session's report; raises UserError."""
    if (run := run_at(profile, state)) is not None:
        _of_run(run, opens=opens, json=json)
        return
    with reached(profile, state) as hand:
        wanted = _session(session, hand)
        facts = session_facts(hand.desk, wanted, _system(hand))
    folder = out or (Path(FOLDER) if profile == "cloud" else Path(hand.name) / FOLDER)
    if json:
        sys.stdout.write(f"{dumps(plain(facts, figures(facts))).decode()}\n")
        return
    try:
        page = write(facts, folder, wanted.day.isoformat(), strategies=os.environ.get(OWN_STRATEGIES, ""))
    except OSError as problem:
        raise UserError(f"{folder} cannot be written: {problem.strerror}", remedy="name a folder with --out") from None
    sys.stdout.write(f"{_line(facts)}\nReport  {page}\n")
    for sentence in facts.said:
        say(sentence)
    if opens:
        _open(page)


def _of_run(folder: Path, *, opens: bool, json: bool) -> None:
    """Show the report that a run of `demo`, `day` or `backtest` has left; raises UserError where it left none."""
    kept, page = report_of(folder), folder / REPORT_FILE
    if json:
        sys.stdout.write(f"{dumps(kept).decode()}\n")
        return
    sys.stdout.write(f"{kept['title']}, configuration {kept['configuration']}\nReport  {page}\n")
    for sentence in kept["said"]:
        say(sentence)
    if opens:
        _open(page)


def _open(page: Path) -> None:
    if not webbrowser.open(page.resolve().as_uri()):
        say("No browser could be opened: open the file yourself.")


def _line(facts: Facts) -> str:
    """Give a session's result in a line."""
    shown = headline(facts, figures(facts))[:5]
    return f"{facts.title}: " + ", ".join(f"{line.name.lower()} {line.text}" for line in shown)


def _system(hand: Hand) -> System:
    return System(
        name=f"the system in {hand.name}", configuration=hand.config or "default",
        mode=hand.mode, simulated=hand.simulated,
    )  # fmt: skip


def _session(text: str | None, hand: Hand) -> TradingSession:
    """Give the session that is asked for, or the last one; raises UserError."""
    now = hand.desk.clock.now()
    wanted = _last(hand, now) if text is None else day(text)
    if text is None and wanted is None:
        raise UserError(f"{hand.name} has seen no session yet", remedy="ask again once the market is open")
    example = session_before(new_york_day(now))
    remedy = f"name the day of a session that has begun, such as --session {example}"
    try:
        found = None if wanted is None else session_of(wanted)
    except ValueError as unknown:
        raise UserError(str(unknown), remedy=remedy) from None
    if found is None:
        raise UserError(f"the New York Stock Exchange does not trade on {wanted}", remedy=remedy)
    if found.opens_at > now:
        raise UserError(f"the session of {wanted} has not begun", remedy=remedy)
    return found


def _last(hand: Hand, now: datetime) -> date | None:
    """Give the last session that has begun; of a system that does not run here the last one that traded.

    None where the one before today is none of this system's.
    """
    traded = [] if hand.running else [one.session for one in typed(Ledger, hand.desk.store.query("ledger"), [])]
    if traded:
        return max(traded)
    today = new_york_day(now)
    session = session_of(today)
    if session is not None and session.opens_at <= now:
        return today
    if (before := session_before(today)) is None:
        return None
    books = typed(Ledger, hand.desk.store.query("ledger"), [])
    seen = any(one.session == before for one in books) or any(receipts_on(hand.desk.store, before, []))
    return before if seen else None
