"""`strategy status` in words: a system's money, state and health, with what a person has to see first at the top.

What can go wrong: a stop of a system that does not run looks as if it worked; a screen of 24 lines ends before what is
wrong. What this promises: what does not work, the day's profit, the trading state and every trouble stand before what
is held, that before all else, and each position is a line of its own.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from infra.cli import money_words as money
from infra.cli.whose import SIMULATOR, account, by_hand, from_when, prices, quoted, resting, without_sign_in
from infra.operations import look, systems
from infra.operations.killed import Held, Killed
from infra.operations.machine import Machine
from infra.results.words import looked
from infra.simulated_day.hours import clock, day_and_time
from shared.domain.base.calendar import is_open, new_york_day
from shared.domain.control.control import Control, TradingState
from shared.domain.market.fallback import FallbackQuote
from shared.domain.market.series import LEAST_DAYS
from shared.domain.telling.codes_said import quote_faults
from shared.domain.telling.left_out import said
from shared.domain.telling.wording import count, few
from shared.settings import Mode
from shared.usecases.control.control import NOBODY

OWNER = "owner"
UNREASONED = frozenset({"the owner halted", "the owner wants no entries", "no reason given"})
"""What stands in the place of a reason that was not given: it says nothing beside who it was."""


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
    """Say a desk at a glance, a line for each thing, what a person has to see first at the beginning."""
    yield from head(seen)
    yield from rest(seen)


def head(seen: look.Overview) -> Iterable[tuple[str, object]]:
    """Say what has to be seen however small the screen is: what does not work, the day, the state, what is held."""
    simulated = ", simulated time" if seen.broker == SIMULATOR else ""
    not_running = "" if seen.running else " (the system is not running)"
    yield "At", f"{day_and_time(seen.at)} New York{simulated}{not_running}"
    if not seen.running:
        over = systems.day_over(Path(seen.name)) if seen.broker == SIMULATOR else None
        rests = resting(seen.broker, seen.mode, killed=seen.killed is not None)
        yield rests if over is None else ("NOT RUNNING", over.sentences)
    elif not (seen.signed_in or seen.signed_out):
        yield "Signed in", f"NO: {without_sign_in(seen.broker, seen.mode)}"
    if seen.killed is not None:
        yield "It held", _left(seen.killed, seen)
    yield "Day's profit", money.day(seen.owned, seen.wealth)
    yield "Trading state", _trading(seen)
    if stops := seen.stops[1:] if _halted(seen) else seen.stops:  # the first of them is the trading state
        yield "NOT BUYING", " ".join(stops)
    yield from (one for one, bad in _health(seen) if bad)
    for number, one in enumerate(seen.owned):
        yield "" if number else "Held", money.held(one)
    if seen.elsewhere:
        yield "NOT TRADED ON", "; ".join(map(from_elsewhere, seen.elsewhere))
    if seen.closing:
        yield "Closing", f"{', '.join(seen.closing)}: you asked for the sale, and it is not done yet"


def rest(seen: look.Overview) -> Iterable[tuple[str, object]]:
    """Say what else is known."""
    yield "Mode", seen.mode or "unknown here"
    yield "Prices", prices(seen.broker, seen.mode) or "unknown here"
    if seen.signed_in:
        yield "Signed in", "yes" if seen.running else "yes, but it does not run"
    elif seen.signed_out or not seen.running:
        yield "Signed in", "no: the day is settled" if seen.signed_out else "no"
    yield "Open orders", seen.live_orders
    yield "Open positions", seen.open_positions
    yield from money.balance(seen.wealth, account(seen.broker, seen.mode))
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
    yield from (one for one, bad in _health(seen) if not bad)
    if seen.running:
        told = "`strategy why` tells why symbols were not bought, `strategy orders` why an order was not sent"
        yield "Not bought?", told


def commands(seen: look.Overview) -> Iterable[tuple[str, str]]:
    """Give what an owner may want to do next of a system, and the whole command for each."""
    if seen.again is not None:
        yield "To start it", seen.again
    if seen.killed is not None:
        yield "To forget this", f"strategy status --seen {seen.on}".rstrip()
    if seen.running and not (seen.signed_in or seen.signed_out):
        yield "To sign in", f"strategy login {seen.on}".rstrip()
    if _halted(seen):
        yield "To trade again", f'strategy resume --reason "..." {seen.on}'.rstrip()
    elif seen.running:
        yield "To stop buying", f"strategy halt {seen.on}".rstrip()
    if seen.running and seen.owned:
        yield "To sell all", f"strategy close --all {seen.on}".rstrip()


def _halted(seen: look.Overview) -> bool:
    return seen.control is not None and seen.control.state is not TradingState.ACTIVE


def stated(value: Control) -> str:
    """Say a trading state with who set it first, when and why, and what came after while it was in force."""
    if value.by == NOBODY:
        return f"{value.state} (default)"
    blocked = " (no sale is sent either)" if value.exits_too else ""
    first = f"{value.state}{blocked} since {day_and_time(value.at)} New York, {_by(f'{value.by}: {value.reason}')}"
    later = (one for one in value.later if one.partition(": ")[2] not in UNREASONED)
    return "; ".join((first, *(f"then {_by(one)}" for one in later)))


def _by(said: str) -> str:
    """Say who gave a reason, and the reason where it is one."""
    who, _, reason = said.partition(": ")
    named = "by you" if who == OWNER else f"by {who}"
    return named if reason in UNREASONED else f"{named}: {reason}"


def _trading(seen: look.Overview) -> str:
    """Say the trading state, and what it means."""
    if seen.control is None:
        return "ACTIVE (default)"
    value, means = seen.control, ""
    if value.state is not TradingState.ACTIVE:
        when = from_when(running=seen.running, signed_in=seen.signed_in)
        sold = "no sale is sent, only stops sell" if value.exits_too else "stops and sales go on"
        means = f". Nothing is bought; {sold}{when}"
    return f"{stated(value)}{means}"


def _left(left: Killed, seen: look.Overview) -> str:
    """Say what a system held that ended without being stopped."""
    held = ", ".join(f"{one.quantity:,} {one.symbol} ({_stop(one)})" for one in left.held) or "nothing"
    there = "simulated broker" if left.broker == SIMULATOR else "E*TRADE account"
    there = "paper account" if left.mode == Mode.PAPER else there
    look_there = "" if left.mode == Mode.PAPER or left.broker == SIMULATOR else "; look on E*TRADE's own page yourself"
    began = ""
    if left.since:
        real = ", real time" if left.broker == SIMULATOR else ""
        began = f". It was started at {day_and_time(datetime.fromisoformat(left.since))} New York{real}"
    stands = f", and stands at {day_and_time(seen.at)}, simulated time" if began and left.broker == SIMULATOR else ""
    return f"by its books of the {there}: {held}{look_there}{began}{stands}"


def _stop(one: Held) -> str:
    if not one.stopped:
        return "NO STOP"
    over = f"all {one.quantity:,}" if one.stopped == one.quantity else f"{one.stopped:,} of {one.quantity:,}"
    return f"stop {one.stop:,.2f} for {over}" if one.stop is not None else f"a stop for {over}"


def _health(seen: look.Overview) -> Iterable[tuple[tuple[str, object], bool]]:
    """Give the lines that say whether the system works, and of each whether something is wrong."""
    if seen.unreadable:
        there = by_hand("look", seen.broker, seen.mode)
        yield ("UNREADABLE", f"{', '.join(seen.unreadable)}: in none of these counts; {there}"), True
    yield ("Unknown orders", ", ".join(seen.in_doubt) or "none"), bool(seen.in_doubt)
    yield ("Failed messages", _buried(seen)), bool(seen.dead_letters)
    yield ("Undelivered", _given_up(seen.given_up)), bool(seen.given_up)
    state = seen.notices
    yield ("Notices", _told(seen)), bool(state.untold or state.unaddressed)
    if (machine := seen.machine) is not None:
        bad = machine.age_s is None or machine.old or bool(machine.silent or machine.refused)
        yield ("This machine", _machine(machine)), bad


def _not_before(late: datetime | None) -> str:
    return "" if late is None else f"; not watched before the sign-in at {clock(late)} New York"


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
