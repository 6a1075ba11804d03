"""`strategy halt`, `reduce` and `resume`: the trading state by the owner's hand, of one system or of all that run.

What can go wrong: a halt reaches a system that ended and not the one that trades; one of several cannot be reached.
What this promises: where none is named, every system of this user that runs on this machine is halted, each for itself,
so that one that fails stops no other; each is named with its result; and it is no success when nothing that runs was
halted. Only one system is let go on at a time, because to loosen is to know what is loosened.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import typer

from infra.cli import opening
from infra.cli.exits import BAD_INPUT, NOT_RUNNING, say
from infra.cli.hand import reached, show
from infra.cli.status_words import stated
from infra.cli.whose import from_when, quoted
from infra.operations import look, systems
from infra.operations.profiles import Hand, require_profile
from infra.running.ended import Ended
from infra.simulated_day.problems import UserError
from shared.domain.control.control import Control, TradingState
from shared.domain.orders.orders import Kind
from shared.domain.telling.wording import count
from shared.errors import DeskError
from shared.frozen import frozen
from shared.usecases.control import control
from shared.usecases.sign_in import token

LONGEST_REASON = 200
STOP_NOW = {
    "here": "To stop without this command, end `strategy up` with Ctrl-C: it buys and sells nothing more. Stops at "
    "E*TRADE stay; entries there you cancel on E*TRADE's own page",
    "cloud": "To stop without this command, `gcloud scheduler jobs pause scan --project=PROJECT --location=REGION`: "
    "without the scan nothing more is decided, no exit and no sale before the close, so what is held stays held. "
    "Stops at E*TRADE stay; entries there you cancel, and what you want sold you sell, on E*TRADE's own page",
}
CLOUD_KNOWN_BY = "GOOGLE_CLOUD_PROJECT"
ELSEWHERE = "This machine only: a stack in the cloud is reached with `strategy {word} --profile cloud`."


@frozen
class Wish:
    """What the owner wants the trading state to be, and why; only to `loosen` may it become less strict."""

    to: TradingState
    reason: str
    exits_too: bool = False
    loosen: bool = False

    @property
    def word(self) -> str:
        """The command's name."""
        return "resume" if self.loosen else "halt" if self.to is TradingState.HALTED else "reduce"


@frozen
class Result:
    """What became of one system: `control` is what is in force there, None where `problem` says why nothing is known.

    `buys` are the buy orders that are not over, `held` the positions, None where they could not be counted;
    `signed_in` says whether the owner is, None where that could not be read; `opens` is what has to be known of it
    first; `troubles` are what could not be read beside the documents, and was not needed.
    """

    system: str
    running: bool
    mode: str | None = None
    broker: str | None = None
    control: Control | None = None
    buys: int | None = None
    held: int | None = None
    signed_in: bool | None = None
    problem: str | None = None
    opens: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()


def command(
    to: TradingState, *, reason: str, profile: str, state: Path | None, json: bool, exits_too: bool = False,
    loosen: bool = False,
) -> None:  # fmt: skip
    """Set the trading state of the system that is named, or of all that run; to loosen, of the only one.

    A halt needs no reason, and where its outcome is open that is said. Raises UserError, and typer.Exit where nothing
    that runs was reached, or not all of it, also of a resume.
    """
    wish = Wish(
        to=to, reason=_worded(reason, halting=to is TradingState.HALTED), exits_too=exits_too, loosen=loosen
    )  # fmt: skip
    _require_profile(profile, halting=wish.to is TradingState.HALTED)
    named = profile == "cloud" or state is not None
    if named or loosen:
        results = [_set(wish, profile, state if named else _only())]
        show(results[0].control, lambda: _tell(results, profile), json=json)
    else:
        results = _every(wish, profile)
        show(results, lambda: _tell(results, profile), json=json)
    for one in results:
        _warn(one, wish)
    if not named and os.environ.get(CLOUD_KNOWN_BY):
        say(ELSEWHERE.format(word=wish.word))
    if any(one.problem for one in results):
        raise typer.Exit(BAD_INPUT)
    if not any(one.running for one in results):
        if not named:
            say(f"Nothing runs here: {systems.where()}.")
        raise typer.Exit(NOT_RUNNING)


def _require_profile(profile: str, *, halting: bool) -> None:
    """Refuse a profile that does not exist: who means the cloud must not believe that it was halted."""
    try:
        require_profile(profile)
    except UserError as problem:
        raise UserError(f"{'NOTHING IS HALTED: ' if halting else ''}{problem.what}", remedy=problem.remedy) from None


def _only() -> Path:
    """Give the only system that may go on; raises UserError that names all where there are several."""
    try:
        return systems.only()
    except UserError as several:
        raise UserError(f"{several.what}; nothing was changed", remedy=several.remedy) from None


def _every(wish: Wish, profile: str) -> list[Result]:
    """Reach everything that runs, whatever becomes of each, or else the only one that does not."""
    troubles: list[str] = []
    found = systems.running(troubles)
    for trouble in troubles:
        say(f"It may not be all that runs: {trouble}.")
    resting = [] if found else systems.stopped()
    if not found and len(resting) != 1:
        problem = systems.none_or_many(resting)
        gone = [f"`strategy {wish.word} --state {one.began_in}`" for one in systems.killed()]
        remedy = ", or ".join((*gone, problem.remedy))
        say(*opening.others(()))
        raise UserError(f"{_nothing(wish)}: {problem.what}", remedy=_remedy(wish, profile, remedy))
    if not found and (over := systems.day_over(resting[0].folder())) is not None:
        raise UserError(f"{_nothing(wish)}: {over.what}", remedy=over.remedy)
    return [_attempt(wish, profile, one, runs=bool(found)) for one in found or resting]


def _attempt(wish: Wish, profile: str, one: systems.System, *, runs: bool) -> Result:
    try:
        return _set(wish, one.profile or profile, one.folder())
    except UserError as problem:
        return Result(system=one.name, running=runs, problem=f"{problem.what}. {problem.remedy}")
    except Exception as bug:  # noqa: BLE001 - whatever it is, the others have to be halted
        return Result(system=one.name, running=runs, problem=f"{_nothing(wish)}: {type(bug).__name__}")


def _set(wish: Wish, profile: str, state: Path | None) -> Result:
    """Set the trading state of one system; raises UserError that says what is known, and how to stop without this."""
    so_far = _nothing(wish)
    try:
        with reached(profile, state, halting=wish.to is TradingState.HALTED) as hand:
            if state is not None and not hand.running:
                systems.require_unended(state)
            if wish.to is TradingState.HALTED:
                so_far = "IT IS NOT KNOWN WHETHER TRADING IS HALTED"
            value = control.command(
                hand.desk, wish.to, exits_too=wish.exits_too, loosen=wish.loosen, reason=wish.reason
            )  # fmt: skip
            return _done(hand, value, profile)
    except UserError as problem:
        if wish.to is not TradingState.HALTED:
            raise
        if isinstance(problem, Ended):
            raise UserError(f"there is nothing to halt: {problem.what}", remedy=problem.remedy) from None
        remedy = quoted(_remedy(wish, profile, problem.remedy), systems.broker_of(state))
        raise UserError(f"{so_far}: {problem.what}", remedy=remedy) from None


def _done(hand: Hand, value: Control, profile: str) -> Result:
    buys, held = _left(hand)
    return Result(
        system=hand.name, running=hand.running, mode=hand.mode, broker=hand.broker, control=value, buys=buys,
        held=held, signed_in=_signed_in(hand), troubles=hand.troubles, opens=tuple(opening.own(hand, profile)),
    )  # fmt: skip


def _signed_in(hand: Hand) -> bool | None:
    try:
        return token.stage(hand.desk.store, hand.desk.clock.now()).signs
    except DeskError:
        return None


def _left(hand: Hand) -> tuple[int | None, int | None]:
    """Count what is being bought and what is held; the state is written already, and nothing here takes it back."""
    unread: list[str] = []
    try:
        live = look.orders(hand.desk.store, every=False, unread=unread)
        held = look.positions(hand.desk.store, unread=unread)
    except (DeskError, OSError):
        return None, None
    return (None, None) if unread else (sum(one.kind is Kind.ENTRY for one in live), len(held))


def _nothing(wish: Wish) -> str:
    return "NOTHING IS HALTED" if wish.to is TradingState.HALTED else "nothing was changed"


def _remedy(wish: Wish, profile: str, remedy: str) -> str:
    if wish.to is not TradingState.HALTED:
        return remedy
    return f"{remedy}. {STOP_NOW['cloud' if profile == 'cloud' else 'here']}"


def _tell(results: Sequence[Result], profile: str) -> None:
    """Print what is not reached by this, and each system with its result: the first line of it is the result."""
    if profile != "cloud":
        opening.show(opening.others([Path(one.system) for one in results]))
    for one in results:
        if one.control is not None:
            mode = one.mode or "mode unknown here"
            sys.stdout.write(f"The trading state of {one.system} ({mode}) is {stated(one.control)}.\n")
            opening.show(one.opens)
            if one.control.state is not TradingState.ACTIVE:
                sys.stdout.write(f"{_follows(one, one.control)}\n")
                opening.show(_commands(one, one.control, systems.on(profile, one.system)))


def _commands(one: Result, value: Control, on: str) -> Iterable[str]:
    """Give the commands that sell and resume, each behind what it is for and alone on its line."""
    if one.held != 0:
        yield f"To sell what is held{'' if one.running else ', once it runs'}:"
        if one.signed_in is False:
            yield f"  strategy login {on}"
        if value.exits_too:
            yield f'  strategy resume --exits-only --reason "..." {on}'
        yield f"  strategy close --all {on}"
    yield "To trade again:"
    yield f'  strategy resume --reason "..." {on}'


def _follows(one: Result, value: Control) -> str:
    """Say what becomes of what is being bought and of what is held."""
    halted = value.state is TradingState.HALTED
    if one.buys is None or one.held is None:
        counts = "What is being bought and held could not be counted: `strategy status` shows it."
    else:
        when = from_when(running=one.running, signed_in=one.signed_in)
        cancels = f"{'its cancel is' if one.buys == 1 else 'their cancels are'} sent{when or ' within seconds'}"
        before = f"{cancels}, and {'it' if one.buys == 1 else 'they'} may fill before that"
        kept = f"{'it' if one.buys == 1 else 'they'} may still fill; `strategy cancel ORDER` cancels one"
        blocked = "no sale is sent" if when else "no sale is sent, only stops sell"
        sold = blocked if value.exits_too else f"stops and sales go on{when}"
        open_still = f"{count(one.buys, 'buy order')} {'is' if one.buys == 1 else 'are'} still open"
        buys = f"{open_still}: {before if halted else kept}"
        held = f"{count(one.held, 'position')} {'is' if one.held == 1 else 'are'} held: {sold}"
        counts = f"{buys if one.buys else 'No buy order is open'}; {held if one.held else 'nothing is held'}."
    return f"Nothing new is bought. {counts}"


def _warn(one: Result, wish: Wish) -> None:
    """Say on stderr what the owner has to know beside the result."""
    if one.problem is not None:
        say(f"FAILED for {one.system}: {one.problem}.")
        return
    if one.control is not None and one.control.state is not wish.to:
        say(f"What was in force in {one.system} is stricter and stays so: only `strategy resume` makes it looser.")
    for trouble in one.troubles:
        say(f"Halted all the same, although something needs mending: {trouble}.")


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
    if not why.strip(".") and not halting:  # what a screen gives to paste leaves it open
        raise UserError("a reason is needed", remedy='say why, in your words, in the place of "..."')
    return why or "no reason given"
