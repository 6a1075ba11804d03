"""The form of a strategy: one file, `NAME.py`, in this folder or in the owner's own (`STRATEGY_STRATEGIES`).

A strategy's file has

    a docstring       its first line describes the strategy
    NAME              the file's name without `.py`, which is the strategy's
    Parameters        a dataclass, frozen, with slots and keywords only: every field has a default, and is a `bool` or
                      `Annotated[int, Span(low, high)]` or `Annotated[Decimal, Span(low, high)]`, ends included
    REASONS           a tuple of every Reason that it may give
    vote              `vote(view: View, own: Parameters) -> Verdict`: a Vote in its own name with a reason or more in
                      words, or one of REASONS
    leave             optional: `leave(view: View, own: Parameters, position: Position) -> Reason | None`, one more
                      reason to sell what is held; stop, flatten and hold limit stand whatever it says

It says beforehand what it needs of nothing: bars of any length (`view.bars_of(15)`), daily bars and all indicators are
there, None or empty while they are not known.

What can go wrong: a file lacks one of these, a parameter has no range, its default lies outside of it, two reasons have
one code; a configuration gives a parameter that the file does not have. What this promises: all of it is named before
the strategy is asked for the first time. What only shows when it is asked (`asked`) is a StrategyFault, whose name says
whose it is: whoever asked goes on without that strategy.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import timedelta
from decimal import Decimal, localcontext
from types import ModuleType
from typing import Any, get_args, get_type_hints

from shared.domain.control.config import Span, number_of
from shared.domain.control.tables import Given
from shared.domain.orders.positions import Position
from shared.domain.orders.signals import Vote
from shared.errors import ConfigError
from shared.frozen import frozen
from shared.strategies.verdict import Reason, Verdict
from shared.strategies.view import View

MOST_WORDS = 10
LONGEST_WORDS = 300
TAKEN = frozenset({"exit", "held", "signal", "stop"})
"""What begins a verdict of the scan's own; a strategy's verdict begins with its name."""
_FIGURES = (str, int, float, Decimal, timedelta)
_BITS = 256
_NO_VERDICT = "it answered {}, which is neither a Vote nor a Reason"
_NO_LEAVE = "its leave answered {}, which is neither one of its REASONS nor None"


@frozen
class Bound:
    """A strategy that is used: its functions, with the parameters of one configuration.

    `ships` says that it is one of this folder, whose answers are of the form whatever it is shown (tests hold it).
    """

    name: str
    description: str
    parameters: Any
    reasons: Mapping[str, Reason]
    vote: Callable[[View, Any], Verdict]
    leave: Callable[[View, Any, Position], Reason | None] | None = None
    ships: bool = False


class StrategyFault(Exception):
    """A strategy cannot be asked: `name` says which, `why` in plain words what it did."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"strategy {name}: {why}")
        self.name = name
        self.why = why


def bind(name: str, module: ModuleType, given: Given) -> Bound:
    """Give the strategy of a file with its parameters; raises ConfigError with all problems, whatever the file does."""
    try:
        return _bind(name, module, given)
    except ConfigError:
        raise
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - the owner's own classes run here, too
        raise ConfigError((f"strategies.{name}: {raised(problem)}",)) from None


def _bind(name: str, module: ModuleType, given: Given) -> Bound:
    problems = [f"strategies.{name}: {problem}" for problem in _lacks(name, module)]
    if problems:
        raise ConfigError(tuple(problems))
    parameters = _parameters(name, module.Parameters, given)
    return Bound(
        name=name, description=description_of(module), parameters=parameters, vote=module.vote,
        reasons={one.code: one for one in module.REASONS}, leave=getattr(module, "leave", None),
        ships=module.__name__ == f"{__package__}.{name}",
    )  # fmt: skip


def description_of(module: ModuleType) -> str:
    """Give the first line of a file's docstring."""
    return (module.__doc__ or "").strip().partition("\n")[0]


def asked(bound: Bound, view: View) -> Verdict:
    """Ask a strategy for its vote; raises StrategyFault for whatever it raises, and for an answer that is none."""
    try:
        if bound.ships:
            return bound.vote(view, bound.parameters)
        with localcontext():  # how it reckons with decimals is not how we do
            verdict = bound.vote(view, bound.parameters)
        wrong = _wrong_vote(bound, verdict) if isinstance(verdict, Vote) else _wrong_reason(bound, verdict, _NO_VERDICT)
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - whatever it does, the others go on
        raise StrategyFault(bound.name, raised(problem)) from None
    if wrong:
        raise StrategyFault(bound.name, wrong)
    return verdict


def asked_to_leave(bound: Bound, view: View, position: Position) -> Reason | None:
    """Ask a strategy for a reason to sell what is held; raises StrategyFault as `asked` does."""
    if bound.leave is None:
        return None
    try:
        with localcontext():
            reason = bound.leave(view, bound.parameters, position)
        wrong = "" if reason is None else _wrong_reason(bound, reason, _NO_LEAVE)
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - whatever it does, the others go on
        raise StrategyFault(bound.name, raised(problem)) from None
    if wrong:
        raise StrategyFault(bound.name, wrong)
    return reason


def raised(problem: BaseException) -> str:
    """Say what an owner's file raised, also where that cannot say it itself."""
    try:
        what = shortened(str(problem))
    except Exception:  # noqa: BLE001 - its own class writes it
        what = ""
    return f"it raised {type(problem).__name__}{f': {what}' if what else ''}"


def shortened(text: str) -> str:
    """Give an owner's words in one line that can be stored: as many as `LONGEST_WORDS`, none that is no Unicode."""
    return " ".join(text[: 4 * LONGEST_WORDS].encode(errors="replace").decode().split())[:LONGEST_WORDS]


def _wrong_vote(bound: Bound, vote: Any) -> str:
    sure = vote.confidence
    if vote.strategy != bound.name:
        return f"it voted in the name of {vote.strategy!r}"
    if not isinstance(sure, Decimal) or not sure.is_finite() or not 0 <= sure <= 1:
        return f"it voted with a confidence of {sure!r}, which must be a Decimal from 0 to 1"
    if not isinstance(vote.reasons, tuple) or not 1 <= len(vote.reasons) <= MOST_WORDS:
        return f"it voted with reasons that are no tuple of 1 to {MOST_WORDS} sentences"
    if not all(isinstance(one, str) and one.strip() and _is_text(one, LONGEST_WORDS) for one in vote.reasons):
        return f"it voted with a reason that is no sentence of up to {LONGEST_WORDS} characters"
    return ""


def _wrong_reason(bound: Bound, reason: object, no_reason: str) -> str:
    if not isinstance(reason, Reason):
        return no_reason.format(type(reason).__name__)
    if reason.code not in bound.reasons:
        return f"it answered {reason.code!r}, which is not among its REASONS"
    for figure in (reason.found, reason.asked):
        if figure is None:
            continue
        if not isinstance(figure, _FIGURES):
            return f"it compared {type(figure).__name__}, which is no figure and no text"
        if not _can_be_kept(figure):
            return f"it compared {type(figure).__name__} that is too long to be written down"
    return ""


def _can_be_kept(figure: object) -> bool:
    """Tell whether a figure or a text can be written into each minute's receipt."""
    if isinstance(figure, str):
        return _is_text(figure, LONGEST_WORDS)
    if isinstance(figure, Decimal):
        return len(str(figure)) <= LONGEST_WORDS
    return not isinstance(figure, int) or figure.bit_length() <= _BITS


def _is_text(text: str, longest: int) -> bool:
    return len(text) <= longest and (text.isascii() or text == text.encode(errors="replace").decode())


def _lacks(name: str, module: ModuleType) -> Iterator[str]:
    """Name everything that a file lacks of the form."""
    if not description_of(module):
        yield "the file has no docstring, whose first line describes it"
    if name in TAKEN:
        yield "the scan uses this name for a verdict of its own: choose another name"
    if getattr(module, "NAME", None) != name:
        yield f"NAME must be {name!r}, as the file is called"
    if not callable(getattr(module, "vote", None)):
        yield "there is no function vote(view, own)"
    if not callable(getattr(module, "leave", _lacks)):
        yield "leave is no function"
    reasons = getattr(module, "REASONS", None)
    if not isinstance(reasons, tuple) or not all(isinstance(one, Reason) for one in reasons):
        yield "REASONS must be a tuple with every Reason that it may give"
    elif len({one.code for one in reasons}) < len(reasons) or not all(_is_code(one.code) for one in reasons):
        yield "the code of each of REASONS must be of its own, in capital letters, digits and _"
    kind = getattr(module, "Parameters", None)
    if not (isinstance(kind, type) and is_dataclass(kind) and kind.__dataclass_params__.frozen):  # type: ignore[attr-defined]
        yield "there is no frozen dataclass Parameters"
        return
    hints = get_type_hints(kind, include_extras=True)
    for field in fields(kind):
        yield from _wrong_parameter(field, hints[field.name])


def _is_code(code: object) -> bool:
    return isinstance(code, str) and code.isascii() and code.replace("_", "").isalnum() and code == code.upper()


def _wrong_parameter(field: Field[Any], hint: object) -> Iterator[str]:
    number, *spans = get_args(hint) or (hint,)
    if number is not bool and not (number in (int, Decimal) and len(spans) == 1 and isinstance(spans[0], Span)):
        yield f"the parameter {field.name} must be a bool, or an Annotated int or Decimal with its Span"
    elif field.default is MISSING:
        yield f"the parameter {field.name} has no default"
    else:
        wrong: list[str] = []
        _read(hint, field.default, f"the default of {field.name}", wrong)
        yield from wrong


def _read(hint: object, raw: object, path: str, problems: list[str]) -> object:
    if hint is bool or (get_args(hint) and get_args(hint)[0] is bool):
        if not isinstance(raw, bool):
            problems.append(f"{path} must be true or false, not {raw!r}")
        return raw
    return number_of(hint, raw, path, problems)


def _parameters(name: str, kind: Any, given: Given) -> object:
    hints = get_type_hints(kind, include_extras=True)
    known = ", ".join(hints) or "no parameters"
    problems = [f"strategies.{name}.{one} is not a setting: it has {known}" for one in given if one not in hints]
    values = {
        one: _read(hints[one], raw, f"strategies.{name}.{one}", problems) for one, raw in given.items() if one in hints
    }
    if problems:
        raise ConfigError(tuple(problems))
    try:
        return kind(**values)
    except ValueError as problem:
        raise ConfigError((f"strategies.{name}: {problem}",)) from None
