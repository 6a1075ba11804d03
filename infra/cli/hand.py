"""What the owner's commands do: reach the desk, look or act, show it in words or as JSON."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import typer

from infra.cli import opening
from infra.cli.exits import BAD_INPUT, say
from infra.cli.laid_out import pairs
from infra.cli.status_words import commands, status_lines
from infra.operations import letters, look, systems
from infra.operations.profiles import Hand, reach, reach_key, require_profile
from infra.operations.stops import stops
from infra.running import registry
from infra.simulated_day.hours import day_and_time
from infra.simulated_day.problems import UserError
from shared import settings
from shared.codec import dumps, encode
from shared.domain.telling.codes_said import named, why
from shared.errors import ConfigError, Conflict, DeskError, StoreDown
from shared.strategies import config as configurations

ELSEWHERE = {
    "emulators": "What Pub/Sub's emulator gave up after its attempts is not listed, and ends with it.",
    "cloud": "What Pub/Sub gave up after its attempts is not listed: it stays in the subscription `dead-letters`. "
    "`gcloud pubsub subscriptions pull dead-letters --limit=20` shows it, and without --auto-ack it stays there.",
}


def status(profile: str, state: Path | None, *, json: bool, let_be: bool = False) -> None:
    """Show a system at a glance; where none is named, all that run on this machine, or else all that do not.

    Before them stands what was killed, and what was stopped with shares held, until it is started again, or shown to be
    `let_be`.
    """
    require_profile(profile)
    if profile == "cloud" or state is not None:
        entry = None if state is None else systems.ended_at(state)
        seen = glance(profile, state, None if entry is None or entry.stopped else entry)
        show(seen, lambda: _one(seen), json=json)
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
        if one.left is not None and let_be:
            registry.forget(one.left)
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
            on=systems.on(profile, hand.name),
        )  # fmt: skip


def _one(seen: look.Overview) -> None:
    """Print one system, behind what else holds shares and is not shown."""
    if seen.broker is not None:
        opening.show(opening.others((Path(seen.name),)))
    _printed(status_lines(seen), seen)


def _titled(views: Iterable[look.Overview]) -> None:
    for seen in views:
        _printed((("System", seen.name), *status_lines(seen)), seen)
        sys.stdout.write("\n")


def _printed(lines: Iterable[tuple[str, object]], seen: look.Overview) -> None:
    """Print a system's lines, and behind them its commands, each alone on its line."""
    pairs(lines)
    for what, command in commands(seen):
        opening.show((f"{what}:", f"  {command}"))


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
    if profile != "cloud" and state is None and not unstarted:
        state = _one_or_told()
    with in_words(), reach(profile, state, os.environ, halting=halting, unstarted=unstarted) as hand:
        if profile != "cloud":
            _say_wrong(hand)
        yield hand


def _one_or_told() -> Path:
    """Give the folder of the system that is meant; raises UserError, after what else ended and holds shares."""
    try:
        return systems.only()
    except UserError:
        say(*opening.others(()))
        raise


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
