"""Whatever a strategy answers, either it is a vote or a reason, or it is named for what it did."""

from dataclasses import replace
from decimal import Decimal, getcontext
from pathlib import Path

import pytest

from shared.domain.market.daybook import DayBook
from shared.strategies import registry
from shared.strategies.form import Bound, StrategyFault, asked, asked_to_leave
from shared.strategies.watch import Watch
from tests.domain.made import DEFAULT, at, position, quote, session
from tests.strategies.own import write
from tests.strategies.seen import view

_VOTE = "return Vote(strategy={name!r}, confidence={sure}, reasons={reasons})"


def _mine(folder: Path, **changes: str) -> Bound:
    (one,) = registry.bound(replace(DEFAULT, strategies={"mine": {}}), str(write(folder, **changes)))
    return one


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("return None", "it answered NoneType, which is neither a Vote nor a Reason"),
        ("return 0.9", "it answered float"),
        ("return replace(CHEAP, code='DEAR')", "it raised NameError"),
        ("return Reason(code='DEAR', words='')", "it answered 'DEAR', which is not among its REASONS"),
        ("return CHEAP.on(view, view)", "it compared View, which is no figure"),
        ("return CHEAP.on([1], None)", "it compared list, which is no figure"),
        (_VOTE.format(name="momentum", sure="Decimal(1)", reasons="()"), "it voted in the name of 'momentum'"),
        (
            _VOTE.format(name="mine", sure="Decimal('NaN')", reasons="()"),
            "with a confidence of Decimal('NaN')",
        ),
        (_VOTE.format(name="mine", sure="Decimal('1.01')", reasons="()"), "with a confidence of Decimal('1.01')"),
        (_VOTE.format(name="mine", sure="Decimal('-0.1')", reasons="()"), "with a confidence of Decimal('-0.1')"),
        (_VOTE.format(name="mine", sure="0.9", reasons="()"), "with a confidence of 0.9, which must be a Decimal"),
        (_VOTE.format(name="mine", sure="Decimal(1)", reasons="['yes']"), "with reasons that are no tuple"),
        (_VOTE.format(name="mine", sure="Decimal(1)", reasons="('x',) * 11"), "with reasons that are no tuple"),
        (_VOTE.format(name="mine", sure="Decimal(1)", reasons="()"), "with reasons that are no tuple of 1 to 10"),
        (_VOTE.format(name="mine", sure="Decimal(1)", reasons="(' ',)"), "with a reason that is no sentence"),
        (_VOTE.format(name="mine", sure="Decimal(1)", reasons="('x' * 301,)"), "with a reason that is no sentence"),
        ("return view.sentiment", "it raised AttributeError: 'View' object has no attribute 'sentiment'"),
        ("return own.slow", "it raised AttributeError"),
        ("return vote(view, own)", "it raised RecursionError"),
        ("return view.quote.last / 0", "it raised DivisionByZero"),
        ("raise SystemExit(3)", "it raised SystemExit: 3"),
        ("raise type('Odd', (Exception,), {'__str__': lambda odd: 1 / 0})", "it raised Odd"),
        ("raise ValueError('x' * 9999)", "it raised ValueError: xxx"),
        ("return Reason(code=['DEAR'], words='')", "it raised TypeError: unhashable type"),
        ("return CHEAP.on('x' * 302, None)", "it compared str that is too long to be written down"),
        ("return CHEAP.on(None, 10 ** 5000)", "it compared int that is too long to be written down"),
        ("return CHEAP.on('\\ud800', None)", "it compared str that is too long to be written down"),
        (_VOTE.format(name="mine", sure="Decimal(1)", reasons="('\\ud800',)"), "with a reason that is no sentence"),
    ],
)
def test_what_is_no_answer_is_a_fault_of_that_strategy(tmp_path: Path, body: str, why: str) -> None:
    """What a strategy raises, and every answer that is no sound vote and no reason of its own, says whose it is."""
    with pytest.raises(StrategyFault) as fault:
        asked(_mine(tmp_path, vote=body), view())
    assert fault.value.name == "mine"
    assert why in fault.value.why
    assert len(fault.value.why) < 400


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return None", None),
        ("return CHEAP", "CHEAP"),
        ("return 7", "its leave answered int, which is neither one of its REASONS nor None"),
        ("return 1 / 0", "it raised ZeroDivisionError"),
    ],
)
def test_a_reason_to_leave_is_one_or_a_fault(tmp_path: Path, body: str, expected: str | None) -> None:
    """What is held may get a reason to leave or none; anything else is a fault, as with a vote."""
    one = _mine(tmp_path, more=f"\n\ndef leave(view, own, position):\n    {body}\n")
    if expected is not None and expected.startswith("it"):
        with pytest.raises(StrategyFault, match=f"strategy mine: {expected}"):
            asked_to_leave(one, view(), position())
    else:
        found = asked_to_leave(one, view(), position())
        assert expected == (None if found is None else found.code)


def test_who_has_no_reason_to_leave_gives_none() -> None:
    """A strategy without `leave` never sells."""
    (one,) = registry.bound(replace(DEFAULT, strategies={"momentum": {}}))
    assert asked_to_leave(one, view(), position()) is None


_COARSE = "import decimal; decimal.getcontext().prec = 3"


def test_how_a_strategy_reckons_is_its_own_matter(tmp_path: Path) -> None:
    """A file that asks for three digits, when it is run, asked to vote or to leave, leaves our money its digits."""
    leaves = f"\n\ndef leave(view, own, position):\n    {_COARSE}\n    return None\n"
    one = _mine(tmp_path, vote=f"{_COARSE}\n    return CHEAP", more=f"{leaves}\n{_COARSE}\n")
    asked(one, view())
    asked_to_leave(one, view(), position())
    assert getcontext().prec == 28
    assert Decimal("1234.56") * 100 == 123_456


@pytest.mark.parametrize("body", ["view.bars.clear()", "view.bars_of(5).pop()", "view.days.reverse()"])
def test_what_a_strategy_is_shown_it_cannot_change(tmp_path: Path, body: str) -> None:
    """Bars that it takes away, turns or adds are a fault, and those of the day stay as they are."""
    watch = Watch("IBM", DayBook(session()), None)
    seen, *_ = [watch.see(quote("101", when=at(minute)), at(minute)) for minute in range(31)][::-1]
    with pytest.raises(StrategyFault, match="has no attribute"):
        asked(_mine(tmp_path, vote=f"{body}\n    return CHEAP"), seen)
    assert (len(watch.book.bars), len(seen.bars), len(seen.bars_of(5))) == (30, 30, 6)
