"""What the owner's commands do: reach the desk, look or act, show it in words or as JSON."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from infra.cli.exits import say
from infra.day.hours import NEW_YORK, day_and_time
from infra.day.problems import UserError
from infra.owner import letters, look
from infra.owner.machine import Machine
from infra.owner.profiles import Hand, reach
from shared.codec import dumps, encode
from shared.domain.calendar import is_open
from shared.domain.control import Control, TradingState
from shared.errors import ConfigError, Conflict, DeskError, StoreDown
from shared.usecases import control

LONGEST_REASON = 200
_NARROWEST_WHY = 8
STOP_NOW = {
    "here": "To stop without this command, end `strategy up` with Ctrl-C: it buys and sells nothing more. Stops at "
    "E*TRADE stay; entries there you cancel on E*TRADE's own page",
    "cloud": "To stop without this command, `gcloud scheduler jobs pause scan --project=PROJECT --location=REGION`: "
    "without the scan nothing more is decided, no exit and no sale before the close, so what is held stays held. "
    "Stops at E*TRADE stay; entries there you cancel, and what you want sold you sell, on E*TRADE's own page",
}

ELSEWHERE = {
    "emulators": "What Pub/Sub's emulator gave up after its attempts is not listed, and ends with it.",
    "cloud": "What Pub/Sub gave up after its attempts is not listed: it stays in the subscription `dead-letters`. "
    "`gcloud pubsub subscriptions pull dead-letters --limit=20` shows it, and without --auto-ack it stays there.",
}


def status(profile: str, state: Path | None, *, json: bool) -> None:
    """Show a desk at a glance."""
    with reached(profile, state) as hand:
        given_up = None if hand.given_up is None else len(hand.given_up())
        seen = look.overview(
            hand.desk.store, at=hand.desk.clock.now(), running=hand.running, mode=hand.mode, given_up=given_up,
            machine=hand.machine,
        )  # fmt: skip
    show(seen, lambda: pairs(status_lines(seen)), json=json)


def orders(profile: str, state: Path | None, *, every: bool, json: bool) -> None:
    """List orders."""
    unread: list[str] = []
    with reached(profile, state) as hand:
        rows = look.orders(hand.desk.store, every=every, unread=unread)
    _say_unread(unread)
    columns = ("Order", "Symbol", "Side", "Shares", "Filled", "Price", "State", "Why")
    show(rows, lambda: _table(columns, (
        (one.intent_id, one.symbol, one.side, one.quantity, one.filled, one.stop_price or one.limit_price, one.state,
         one.reason) for one in rows
    )), json=json)  # fmt: skip


def positions(profile: str, state: Path | None, *, every: bool, json: bool) -> None:
    """List positions."""
    unread: list[str] = []
    with reached(profile, state) as hand:
        rows = look.positions(hand.desk.store, every=every, unread=unread)
    _say_unread(unread)
    columns = ("Symbol", "Shares", "At", "Cost", "Stop wanted", "Realised", "Since (New York)")
    show(rows, lambda: _table(columns, (
        (one.symbol, one.quantity, one.venue, one.average_cost, one.stop_wanted, one.realized,
         day_and_time(one.opened_at)) for one in rows
    )), json=json)  # fmt: skip


def dead_letters(profile: str, state: Path | None, *, json: bool) -> None:
    """List the messages that were put aside, and what this machine's bus gave up."""
    with reached(profile, state) as hand:
        rows = letters.letters(hand.desk.store, () if hand.given_up is None else hand.given_up())
    if profile in ELSEWHERE:
        say(ELSEWHERE[profile])
    show(rows, lambda: _letters(rows), json=json)


def explain(order: str, profile: str, state: Path | None, *, json: bool) -> None:
    """Tell one order's story."""
    with reached(profile, state) as hand:
        story = look.story(hand.desk.store, order)
    show(story, lambda: _story(story), json=json)


def command(
    to: TradingState, *, reason: str, profile: str, state: Path | None, json: bool, exits_too: bool = False,
    loosen: bool = False,
) -> None:  # fmt: skip
    """Set the trading state by the owner's hand and say whose; a halt that cannot be written says how to stop without.

    A halt needs no reason, and where its outcome is open that is said.
    """
    halting = to is TradingState.HALTED
    why = _worded(reason, halting=halting)
    so_far = "NOTHING IS HALTED"
    try:
        with reached(profile, state, halting=halting) as hand:
            so_far = "IT IS NOT KNOWN WHETHER TRADING IS HALTED"
            value = control.command(hand.desk, to, exits_too=exits_too, loosen=loosen, reason=why)
    except UserError as problem:
        if not halting:
            raise
        remedy = f"{problem.remedy}. {STOP_NOW['cloud' if profile == 'cloud' else 'here']}"
        raise UserError(f"{so_far}: {problem.what}", remedy=remedy) from None
    if value.state is not to:
        say("What was in force is stricter and stays so: only `strategy resume` makes it looser.")
    for trouble in hand.troubles:
        say(f"Halted all the same, although something needs mending: {trouble}.")
    if not hand.running:
        say("The desk is not running: until it runs nobody cancels, protects or sells anything at the broker.")
    done = f"The trading state of {hand.name} ({hand.mode or 'mode unknown here'}) is {_stated(value)}.\n"
    show(value, lambda: sys.stdout.write(done), json=json)


def _worded(reason: str, *, halting: bool) -> str:
    """Give a reason as it is kept, told and shown: what does not print is spelled out; raises UserError.

    A halt is refused for nothing that its reason is: there one that is too long is cut.
    """
    why = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in reason.strip())
    if len(why) > LONGEST_REASON and halting:
        say(f"The reason is cut to its first {LONGEST_REASON} characters.")
        return why[:LONGEST_REASON]
    if len(why) > LONGEST_REASON:
        what = f"the reason has {len(why)} characters, and {LONGEST_REASON} are the most; nothing was changed"
        raise UserError(what, remedy="say it shorter")
    if not why and not halting:
        raise UserError("a reason is needed", remedy='say why: --reason "..."')
    return why or "no reason given"


@contextmanager
def reached(profile: str, state: Path | None, *, halting: bool = False) -> Iterator[Hand]:
    """Reach the desk, with its failures as one sentence and a remedy."""
    try:
        with reach(profile, state, os.environ, halting=halting) as hand:
            yield hand
    except ConfigError as wrong:
        raise UserError("; ".join(wrong.problems), remedy="put that right and ask again") from None
    except Conflict as meanwhile:
        raise UserError(meanwhile.detail, remedy="look with `strategy status`, then say it again") from None
    except StoreDown as down:
        raise UserError(f"the store does not answer: {down.detail}", remedy="ask again in a moment") from None
    except OSError as problem:
        raise UserError(f"this machine refuses: {problem}", remedy="ask as the one whose desk it is") from None
    except DeskError as broken:
        what = f"this could not be done: {broken.detail}"
        raise UserError(what, remedy="`strategy halt` still works; then look at the document that is named") from None


def show(value: object, in_words: Callable[[], object], *, json: bool) -> None:
    """Print a value: as JSON and nothing else, or in words."""
    if json:
        sys.stdout.write(f"{dumps(encode(value)).decode()}\n")
    else:
        in_words()


def _stated(value: Control) -> str:
    blocked = ", exits too" if value.exits_too else ""
    return f"{value.state}{blocked} since {day_and_time(value.at)} New York, by {value.by}: {value.reason}"


def status_lines(seen: look.Overview) -> Iterable[tuple[str, object]]:
    """Say a desk at a glance, a line for each thing."""
    yield "At", f"{day_and_time(seen.at)} New York{'' if seen.running else ' (the desk is not running)'}"
    yield "Mode", seen.mode or "unknown here"
    yield "Signed in", "yes" if seen.signed_in else "NO: nothing is traded until `strategy login`"
    yield "Trading state", _stated(seen.control) if seen.control else "ACTIVE: nothing was ever decided"
    yield "Live orders", seen.live_orders
    yield "In doubt", ", ".join(seen.in_doubt) or "none"
    yield "Open positions", seen.open_positions
    yield "Realised", f"{seen.realized:+,.2f} USD on {seen.session}" if seen.session else "nothing traded yet"
    yield "Scan", _scanned(seen)
    yield "Put aside", _buried(seen)
    yield "Given up", _given_up(seen.given_up)
    yield "Notices", _told(seen)
    if seen.machine is not None:
        yield "This machine", _machine(seen.machine)
    if seen.unreadable:
        yield "UNREADABLE", f"{', '.join(seen.unreadable)}: in none of these counts, look on E*TRADE's own page"


def _say_unread(paths: Iterable[str]) -> None:
    for path in paths:
        say(f"Not listed, because it cannot be read: {path}. Look on E*TRADE's own page.")


def _scanned(seen: look.Overview) -> str:
    sight = seen.sight
    if sight is None:
        minutes = int(look.LATELY.total_seconds() // 60)
        return f"NO minute was scanned in the last {minutes} minutes" if is_open(seen.at) else "the market is closed"
    minute = f"{day_and_time(sight.begins)} New York"
    if sight.blind:
        return f"{minute}: NO usable quote of {sight.symbols} symbols ({', '.join(sight.faults)})"
    return f"{minute}: usable quotes of {sight.usable} of {sight.symbols} symbols"


def _told(seen: look.Overview) -> str:
    state, shown = seen.notices, "`strategy notices` shows them"
    if state.untold and state.untold_since:
        return f"{state.untold} NOT DELIVERED since {day_and_time(state.untold_since)} New York: {shown}"
    if state.unaddressed:
        return f"only in the journal, NO ADDRESS is set: {shown}"
    return f"{state.told} lately, the last one delivered" if state.told else "none so far"


def _buried(seen: look.Overview) -> str:
    if not seen.dead_letters:
        return "none"
    since = f" since {day_and_time(seen.dead_letters_since)} New York" if seen.dead_letters_since else ""
    return f"{seen.dead_letters}{since}: `strategy dead-letters` shows them"


def _letters(rows: Iterable[letters.Letter]) -> None:
    """Print a block for each letter, however narrow the terminal is."""
    for one in rows:
        pairs((
            ("At", f"{day_and_time(one.at)} New York" if one.at else "the letter does not tell"),
            ("Function", one.function),
            ("Message", one.message or "unreadable"),
            ("Why", f"{one.reason}: {one.detail}"),
            ("Letter", one.name),
        ))  # fmt: skip
        sys.stdout.write("\n")


def _given_up(count: int | None) -> str:
    if count is None:
        return "not counted here: `strategy dead-letters` says where it is"
    return f"{count}: `strategy dead-letters` shows them" if count else "none"


def _machine(seen: Machine) -> str:
    if seen.age_s is None:
        return "UNKNOWN: what the desk writes down each second cannot be read; look into its terminal"
    parts = [f"NOT ANSWERING: {', '.join(seen.silent)}"] if seen.silent else ["all functions answer"]
    parts += [f"{name} started again, {times} so far" for name, times in seen.restarted.items()]
    parts += [f"REFUSED: {seen.refused}"] if seen.refused else []
    parts.append(f"written down {seen.age_s:.0f} s ago{': TOO OLD, look into its terminal' if seen.old else ''}")
    return "; ".join(parts)


def _story(story: look.Story) -> None:
    order = story.order
    pairs((
        ("Order", f"{order.intent_id}: {order.side} {order.quantity} {order.symbol}, {order.kind}, {order.reason}"),
        ("Decided", f"{day_and_time(order.decided_at)} New York"),
        ("Stands", f"{order.state}: {story.stands}"),
        ("Next", story.next_step),
        *((("Signal", f"{story.signal.signal_id} of {story.signal.strategy}"),) if story.signal else ()),
        *((("Codes", ", ".join(order.codes)),) if order.codes else ()),
    ))  # fmt: skip
    _table(("Step", "New York", "By", "From", "To", "Why"), (
        (one.seq, _on(order.session, one.at), one.actor, one.before, one.after, one.cause) for one in story.events
    ))  # fmt: skip
    if story.fills:
        _table(("Filled, New York", "Shares", "Price", "Realised"), (
            (_on(order.session, one.at), one.quantity, one.price, one.realized) for one in story.fills
        ))  # fmt: skip


def _on(day: date, at: datetime) -> str:
    """Write an instant in New York, to the millisecond, with its date where that is another than `day`."""
    there = at.astimezone(NEW_YORK)
    return f"{there:{'' if there.date() == day else '%Y-%m-%d '}%H:%M:%S.%f}"[:-3]


def pairs(rows: Iterable[tuple[str, object]]) -> None:
    """Print names and values."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, str(value))
    Console().print(table, highlight=False, markup=False)


def _table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table; the reasons are wrapped first, every column where that is not enough, and nothing is cut."""
    table, console = Table(box=None, pad_edge=False), Console()
    lines = [["" if value is None else str(value) for value in row] for row in rows]
    widths = {name: max(map(len, (name, *cells))) for name, *cells in zip(columns, *lines, strict=True)}
    whole = sum(_NARROWEST_WHY if name == "Why" else width + 1 for name, width in widths.items()) <= console.width
    for name in widths:
        table.add_column(name, no_wrap=whole and name != "Why", overflow="fold")
    for line in lines:
        table.add_row(*line)
    console.print(table, highlight=False, markup=False)
