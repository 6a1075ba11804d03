"""What the owner's commands do: reach the desk, look or act, show it in words or as JSON."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

import typer

from infra.cli import money_words as money
from infra.cli.exits import BAD_INPUT, say
from infra.cli.laid_out import Command, pairs
from infra.cli.whose import SIMULATOR, account, by_hand, quoted, unattended
from infra.operations import letters, look, systems
from infra.operations.killed import Killed
from infra.operations.machine import Machine
from infra.operations.profiles import Hand, reach, reach_key, require_profile
from infra.operations.stops import stops
from infra.results.words import looked
from infra.running import registry
from infra.simulated_day.hours import clock, day_and_time
from infra.simulated_day.problems import UserError
from shared import settings
from shared.codec import dumps, encode
from shared.domain.base.calendar import is_open, new_york_day
from shared.domain.control.control import Control
from shared.domain.market.fallback import FallbackQuote
from shared.domain.market.series import LEAST_DAYS
from shared.domain.telling.codes_said import named, quote_faults, why
from shared.domain.telling.left_out import said
from shared.domain.telling.wording import count, few
from shared.errors import ConfigError, Conflict, DeskError, StoreDown
from shared.settings import Mode
from shared.strategies import config as configurations
from shared.usecases.control.control import NOBODY

ELSEWHERE = {
    "emulators": "What Pub/Sub's emulator gave up after its attempts is not listed, and ends with it.",
    "cloud": "What Pub/Sub gave up after its attempts is not listed: it stays in the subscription `dead-letters`. "
    "`gcloud pubsub subscriptions pull dead-letters --limit=20` shows it, and without --auto-ack it stays there.",
}


def status(profile: str, state: Path | None, *, json: bool, let_be: bool = False) -> None:
    """Show a system at a glance; where none is named, all that run on this machine, or else all that do not.

    Beside them stands what ended without being stopped, until it is started again, or shown to be `let_be`.
    """
    require_profile(profile)
    if profile == "cloud" or state is not None:
        entry = None if state is None else systems.killed_at(state)
        seen = glance(profile, state, entry)
        show(seen, lambda: pairs(status_lines(seen)), json=json)
        if entry is not None and let_be:
            registry.forget(entry)
        return
    found, views, troubles = seen_here(profile)
    show(views, lambda: _titled(views), json=json)
    if not any(one.running for one in views):
        say(f"Nothing runs here: {systems.where()}.")
    for trouble in troubles:
        say(f"Not shown: {trouble}.")
    for one in found:
        if one.killed is not None and let_be:
            registry.forget(one.killed)
    if troubles:
        raise typer.Exit(BAD_INPUT)


def seen_here(profile: str) -> tuple[list[systems.System], list[look.Overview], list[str]]:
    """Look at every system of this machine, and say of which that failed; raises UserError where there is none."""
    troubles: list[str] = []
    found = systems.seen(troubles)
    if not found:
        raise systems.none_or_many([])
    views: list[look.Overview] = []
    for one in found:
        try:
            views.append(glance(one.profile or profile, one.folder(), one.killed))
        except UserError as problem:
            ended = " ended without being stopped" if one.killed is not None else ""
            troubles.append(f"{one.name}{ended}: {problem.what}. {problem.remedy}")
    return found, views, troubles


def glance(profile: str, state: Path | None, killed: registry.Entry | None = None) -> look.Overview:
    """Look at one system; raises UserError."""
    with reached(profile, state) as hand:
        given_up = None if hand.given_up is None else len(hand.given_up())
        return look.overview(
            hand.desk.store, at=hand.desk.clock.now(), running=hand.running, name=hand.name, mode=hand.mode,
            broker=hand.broker, again=None if hand.running else systems.again(Path(hand.name)),
            given_up=given_up, machine=hand.machine, killed=killed, stops=partial(stops, hand, os.environ),
        )  # fmt: skip


def _titled(views: Iterable[look.Overview]) -> None:
    for seen in views:
        left = seen.killed
        simulated = left is not None and left.broker == SIMULATOR
        pairs(
            (("System", seen.name), *([("KILLED", _killed(left, seen))] if left and simulated else status_lines(seen)))
        )
        sys.stdout.write("\n")


def dead_letters(profile: str, state: Path | None, *, json: bool) -> None:
    """List the messages that were put aside, and what this machine's bus gave up."""
    with reached(profile, state) as hand:
        rows = letters.letters(hand.desk.store, () if hand.given_up is None else hand.given_up())
    if profile in ELSEWHERE:
        say(ELSEWHERE[profile])
    show(rows, lambda: _letters(rows), json=json)


@contextmanager
def reached(
    profile: str, state: Path | None, *, halting: bool = False, unstarted: bool = False
) -> Iterator[Hand]:  # fmt: skip
    """Reach the desk, with its failures as one sentence and a remedy."""
    with in_words(), reach(profile, state, os.environ, halting=halting, unstarted=unstarted) as hand:
        if profile != "cloud":
            _say_wrong(hand)
        yield hand


@contextmanager
def alone(broker: str, state: Path | None) -> Iterator[Hand]:
    """Reach a key alone, in the same way."""
    with in_words(), reach_key(broker, state, os.environ) as hand:
        yield hand


@contextmanager
def in_words() -> Iterator[None]:
    """Turn the failures of a desk into one sentence and a remedy each."""
    try:
        yield
    except ConfigError as wrong:
        raise UserError("; ".join(wrong.problems), remedy="correct that, then repeat the command") from None
    except Conflict as meanwhile:
        raise UserError(meanwhile.detail, remedy="look with `strategy status`, then repeat the command") from None
    except StoreDown as down:
        raise UserError(f"the store does not answer: {down.detail}", remedy="ask again in a moment") from None
    except OSError as problem:
        raise UserError(
            f"this machine refuses: {problem}", remedy="run it as the user who started the system"
        ) from None
    except DeskError as broken:
        what = f"this could not be done: {broken.detail}"
        raise UserError(what, remedy="`strategy halt` still works; then look at the document that is named") from None


def _say_wrong(hand: Hand) -> None:
    """Name what would keep this system from its next start; whoever looks or acts now needs none of it."""
    simulated = bool(hand.config)
    chosen = hand.config or os.environ.get("STRATEGY_CONFIG", settings.DEFAULT_CONFIG)
    for problem in (*(() if simulated else settings.wrong_ones(os.environ)), *configurations.problems_of(chosen)):
        say(f"It would not start with this: {problem}.")


def show(value: object, in_words: Callable[[], object], *, json: bool) -> None:
    """Print a value: as JSON and nothing else, or in words."""
    if json:
        sys.stdout.write(f"{dumps(encode(value)).decode()}\n")
    else:
        in_words()


def stated(value: Control) -> str:
    """Say a trading state with who set it first, when and why, and what came after while it was in force."""
    if value.by == NOBODY:
        return f"{value.state} (default)"
    blocked = " (no exit is sent either)" if value.exits_too else ""
    first = f"{value.state}{blocked} since {day_and_time(value.at)} New York, by {value.by}: {value.reason}"
    return "; ".join((first, *(f"then by {one}" for one in value.later)))


def _history(found: look.History | None) -> str:
    """Say of how many symbols there are daily bars enough, and how many sessions of our own each other one needs."""
    if found is None:
        return f"none were gathered yet; a symbol needs {LEAST_DAYS} before it is bought"
    gathered = f"for {found.session}, gathered {day_and_time(found.at)} New York"
    if not found.short:
        return f"enough of all {count(found.enough, 'symbol')}, {gathered}"
    least = sorted(found.short.items(), key=lambda one: -one[1])
    named = few([f"{symbol} {LEAST_DAYS - days}" for symbol, days in least], 5)
    waits = f"the others need more sessions, or `strategy import`: {named}"
    return f"enough of {found.enough} of {count(found.enough + len(least), 'symbol')}, {gathered}; {waits}"


def _ranked(found: look.Ranked | None) -> str:
    """Say for which session the watch list was ranked, when, and of how many symbols everything was known."""
    if found is None:
        return "not made yet; the watch list counts in its own order"
    made = f"for {found.session}, made {day_and_time(found.at)} New York"
    known = "" if found.whole == found.symbols else f"; {found.symbols - found.whole} of them with a part unknown"
    return f"{count(found.symbols, 'symbol')} {made}{known}; `strategy rank` shows it"


def _left_out(found: look.History) -> Iterable[tuple[str, object]]:
    """Name the sources that are not asked for daily bars, and those that do not take their key."""
    if found.skipped:
        yield "Not asked", "; ".join(f"{name}: {why}" for name, why in found.skipped.items())
    if found.refused:
        remedy = "store another with `strategy secrets set alpaca-key`, and try it with `strategy doctor`"
        yield "KEY REFUSED", f"{', '.join(found.refused)} does not take its key: {remedy}"


def status_lines(seen: look.Overview) -> Iterable[tuple[str, object]]:
    """Say a desk at a glance, a line for each thing."""
    simulated = ", simulated time" if seen.broker == SIMULATOR else ""
    resting = "" if seen.running else " (the system is not running)"
    yield "At", f"{day_and_time(seen.at)} New York{simulated}{resting}"
    if not seen.running:
        yield from _resting(seen)
    if seen.killed is not None:
        yield "KILLED", _killed(seen.killed, seen)
    yield "Mode", seen.mode or "unknown here"
    waits = "no: the day is settled" if seen.signed_out else "NO: nothing is traded until `strategy login`"
    signed = "yes" if seen.running else "yes, which nobody uses until it runs"
    yield "Signed in", signed if seen.signed_in else waits
    yield from _trading(seen)
    yield "Open orders", seen.live_orders
    yield "Unknown orders", ", ".join(seen.in_doubt) or "none"
    yield "Open positions", seen.open_positions
    yield from money.lines(seen.owned, seen.wealth, account(seen.broker, seen.mode))
    if seen.elsewhere:
        yield "NOT TRADED ON", "; ".join(map(from_elsewhere, seen.elsewhere))
    if seen.closing:
        yield "Closing", f"{', '.join(seen.closing)}: you asked for the sale, and it is not done yet"
    yield from _realized(seen)
    if seen.asked:
        yield "Asked", "; ".join(seen.asked)
    yield "Scan", _scanned(seen)
    if seen.left_out:
        yield "LEFT OUT", "; ".join(map(said, seen.left_out))
    if seen.looks is not None:
        yield "Seconds watched", f"{looked(seen.looks)}{_not_before(seen.late_sign_in)}"
    yield "Daily bars", _history(seen.history)
    if seen.history is not None:
        yield from _left_out(seen.history)
    yield "Rank", _ranked(seen.ranked)
    yield "Failed messages", _buried(seen)
    yield "Undelivered messages", _given_up(seen.given_up)
    yield "Notices", _told(seen)
    if seen.machine is not None:
        yield "This machine", _machine(seen.machine)
    if seen.running:
        yield from _commands(seen)
    if seen.unreadable:
        there = by_hand("look", seen.broker, seen.mode)
        yield "UNREADABLE", f"{', '.join(seen.unreadable)}: in none of these counts; {there}"


def _trading(seen: look.Overview) -> Iterable[tuple[str, object]]:
    """Say the trading state, and in one line every rule that keeps all purchases out now."""
    yield "Trading state", stated(seen.control) if seen.control else "ACTIVE (default)"
    if seen.stops:
        yield "NOT BUYING", " ".join(seen.stops)


def _commands(seen: look.Overview) -> Iterable[tuple[str, object]]:
    """Name the commands that tell why nothing was bought, and that stop it."""
    yield (
        "Not bought?",
        "`strategy why` tells why symbols were not bought, `strategy orders` why an order was not sent",
    )
    sold = "sells what is held" if seen.signed_in else "sells nothing before `strategy login`"
    yield "To stop", f"`strategy halt` stops purchases at once; `strategy close --all` {sold}"


def _resting(seen: look.Overview) -> Iterable[tuple[str, object]]:
    """Say what a system that does not run leaves undone, and how to start it again; of a day that is over just that."""
    over = systems.day_over(Path(seen.name)) if seen.broker == SIMULATOR else None
    yield "NOT RUNNING", unattended(seen.broker, seen.mode) if over is None else over.sentences
    if seen.again is not None and seen.killed is None:
        yield "Start it again", Command(seen.again)


def _not_before(late: datetime | None) -> str:
    return "" if late is None else f"; not watched before the sign-in at {clock(late)} New York"


def _killed(left: Killed, seen: look.Overview) -> str:
    """Say what a system held that ended without being stopped, and what to do."""
    simulated = left.broker == SIMULATOR
    began = f" It was started at {day_and_time(datetime.fromisoformat(left.since))} New York" if left.since else ""
    began += f"{', real time' if simulated else ''}." if began else ""
    again = f"`{seen.again}` goes on from there" if seen.again is not None else "`strategy report` shows it"
    held = "; ".join(
        f"{one.quantity:,} {one.symbol} with {f'a stop over {one.stopped:,}' if one.stopped else 'NO STOP'}"
        for one in left.held
    )
    live = "at the simulated broker" if simulated else "at E*TRADE"
    where = "in the paper books" if left.mode == Mode.PAPER else live
    book = f"By its books it held, {where}, {held}" if held else "By its books it held nothing"
    if simulated:
        stands = f"this simulated day, which stands at {day_and_time(seen.at)} New York, simulated time"
        shown = f"`strategy positions --state {left.state}` shows what is held"
        return f"{stands}, ended without being stopped.{began} {book}. {again}; {shown}. {systems.LET_BE}."
    look_there = "" if left.mode == Mode.PAPER else "; or look on E*TRADE's own page yourself"
    return (
        f"it ended without being stopped or settled, and nothing manages it.{began} {book}. {again}{look_there}. "
        f"{systems.LET_BE}."
    )


def from_elsewhere(one: FallbackQuote) -> str:
    """Say a price of somebody else's, with its source, its instants and why it is shown."""
    return (
        f"{one.symbol} {one.last} USD, says {one.source}, its delay not known (traded {clock(one.at)}, asked "
        f"{clock(one.asked_at)} New York); E*TRADE has given no quote since {clock(one.since)}"
    )


def _realized(seen: look.Overview) -> Iterable[tuple[str, str]]:
    """Say what the last session that traded brought, nothing where there is none."""
    if seen.session is None:
        return
    now = is_open(seen.at) and seen.session == new_york_day(seen.at)
    unknown = f", without {seen.unpriced:,} shares that you took out at a price that is not known"
    said = f"{seen.realized:+,.2f} USD realised on {seen.session}{unknown if seen.unpriced else ''}"
    yield "This session" if now else "Last session", said


def _scanned(seen: look.Overview) -> str:
    sight = seen.sight
    if sight is None:
        if not is_open(seen.at):
            return "the market is closed"
        if not is_open(seen.at - look.FIRST_SIGHT):
            return "the market has just opened: the first minute is not over"
        minutes = int(look.LATELY.total_seconds() // 60)
        return f"NO minute was scanned in the last {minutes} minutes"
    minute = f"{day_and_time(sight.begins)} New York"
    if sight.blind:
        faults = quoted(quote_faults(sight.faults), seen.broker)
        return f"{minute}: NO usable quote of {count(sight.symbols, 'symbol')} ({faults})"
    return f"{minute}: usable quotes of {sight.usable} of {count(sight.symbols, 'symbol')}"


def _told(seen: look.Overview) -> str:
    state, shown = seen.notices, "`strategy notices` shows them"
    if state.untold and state.untold_since:
        return f"{state.untold} NOT DELIVERED since {day_and_time(state.untold_since)} New York: {shown}"
    if state.unaddressed:
        return f"sent nowhere, NO ADDRESS is set: {shown}"
    return f"{state.told} lately, the last one delivered" if state.told else "none so far"


def _buried(seen: look.Overview) -> str:
    if not seen.dead_letters:
        return "none"
    since = f" since {day_and_time(seen.dead_letters_since)} New York" if seen.dead_letters_since else ""
    return f"{seen.dead_letters}{since}: `strategy dead-letters` shows them"


def _letters(rows: Sequence[letters.Letter]) -> None:
    """Print a block for each letter, however narrow the terminal is, and what they mean for the owner."""
    if not rows:
        sys.stdout.write("No message failed.\n")
        return
    for one in rows:
        pairs((
            ("At", f"{day_and_time(one.at)} New York" if one.at else "the letter does not tell"),
            ("Function", named(one.function)),
            ("Message", one.message.replace("_", " ") or "unreadable"),
            ("Why", one.detail if one.reason == letters.GIVEN_UP else why(f"{one.reason}: {one.detail}")),
            ("Means", one.means),
            ("Letter", one.name),
        ))  # fmt: skip
        sys.stdout.write("\n")


def _given_up(count: int | None) -> str:
    if count is None:
        return "not counted here: `strategy dead-letters` says where it is"
    return f"{count}: `strategy dead-letters` shows them" if count else "none"


def _machine(seen: Machine) -> str:
    if seen.age_s is None:
        return "UNKNOWN: what the system reports each second cannot be read; look at its terminal"
    parts = [f"NOT ANSWERING: {', '.join(seen.silent)}"] if seen.silent else ["all functions healthy"]
    parts += [f"{name} started again, {times} so far" for name, times in seen.restarted.items()]
    parts += [f"REFUSED: {seen.refused}"] if seen.refused else []
    parts.append(f"updated {seen.age_s:.0f} s ago{': TOO OLD, look at its terminal' if seen.old else ''}")
    return "; ".join(parts)
