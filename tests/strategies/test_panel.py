"""A panel asks the strategies of a session, and goes on without the one that does what none may."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from shared.domain.orders.signals import Signal
from shared.domain.telling.left_out import LeftOut
from shared.strategies.decide import Decision
from shared.strategies.panel import Panel
from shared.strategies.view import View
from tests.domain.made import at, position, quote
from tests.strategies.own import write
from tests.strategies.seen import ONE_VOTE, view

CONFIG = replace(ONE_VOTE, strategies={"mine": {}, "momentum": {}})
YES = "return Vote(strategy=NAME, confidence=Decimal('0.80'), reasons=('yes',))"


def _panel(folder: Path, vote: str, more: str = "", **given: object) -> Panel:
    panel = Panel(folder=str(write(folder, vote=vote, more=more)), **given)  # type: ignore[arg-type]
    panel.begin()
    return panel


def _voters(decision: Decision) -> list[str]:
    return [vote.strategy for vote in decision.votes] if isinstance(decision, Signal) else []


def _about(symbol: str, minute: float) -> View:
    seen = view(symbol=symbol, at=at(minute))
    return replace(seen, quote=replace(quote("102.00", when=at(minute), previous_close="99.00"), symbol=symbol))


def _decided(panel: Panel, views: list[View]) -> list[list[str]]:
    return [_voters(panel.decide(one, CONFIG)) for one in views]


SEEN = [_about(symbol, minute) for minute in (30, 31) for symbol in ("AIG", "BAC")]
RAISES = f"if view.symbol == 'BAC' and view.at.minute == 0: raise ValueError('odd')\n    {YES}"


def test_who_raises_is_asked_no_more_and_the_others_decide_the_same_tick(tmp_path: Path) -> None:
    """From the symbol and the tick of its fault on a strategy is left out, with what it did; all else is decided."""
    panel = _panel(tmp_path, RAISES)
    assert _decided(panel, SEEN) == [["mine", "momentum"], ["momentum"], ["momentum"], ["momentum"]]
    assert panel.left == {
        "mine": LeftOut(name="mine", why="it raised ValueError: odd", at=at(30), about="BAC"),
    }
    assert panel.asked == ("momentum",)


def test_the_next_session_asks_it_again(tmp_path: Path) -> None:
    """What a strategy did counts for its session."""
    panel = _panel(tmp_path, RAISES)
    _decided(panel, SEEN)
    panel.begin()
    assert _decided(panel, SEEN[2:]) == [["mine", "momentum"]] * 2


def test_who_begins_with_the_record_goes_on_as_who_made_it(tmp_path: Path) -> None:
    """A panel that begins with who was left out does not ask them; one that begins without would."""
    warm, cold, forgetful = (_panel(tmp_path, RAISES) for _ in range(3))
    _decided(warm, SEEN[:2])
    cold.begin(warm.left.values())
    assert _decided(cold, SEEN[2:]) == _decided(warm, SEEN[2:]) == [["momentum"]] * 2
    assert _decided(forgetful, SEEN[2:]) != _decided(warm, SEEN[2:])


def test_a_replay_follows_the_record(tmp_path: Path) -> None:
    """Whoever was left out of the day is left out of its replay at that tick and symbol, though it behaves now."""
    _decided(day := _panel(tmp_path, RAISES), SEEN)
    replayed = _panel(tmp_path, YES, follows=day.left.values())
    assert _decided(replayed, SEEN) == [["mine", "momentum"], ["momentum"], ["momentum"], ["momentum"]]
    assert replayed.left == day.left
    assert _decided(_panel(tmp_path, YES), SEEN)[1:] == [["mine", "momentum"]] * 3


def test_a_replay_follows_what_no_symbol_was_the_reason_of(tmp_path: Path) -> None:
    """Who was left out at a minute's beginning is not asked from then on, and was before."""
    died = LeftOut(name="mine", why="it died", at=at(31))
    replayed = _panel(tmp_path, YES, follows=[died])
    assert _decided(replayed, SEEN) == [["mine", "momentum"]] * 2 + [["momentum"]] * 2


def _cpu(seconds: float) -> Callable[[], float]:
    """Give a clock of CPU time on which each question to `mine` takes so long."""
    return lambda: seconds * len(getattr(sys.modules.get("own_strategies.mine"), "ASKED", ()))


COUNTS = f"ASKED.append(1)\n    {YES}"


def test_who_takes_long_twice_is_left_out(tmp_path: Path) -> None:
    """More than 100 ms of CPU for one symbol are let pass once, for the interpreter's sake; then they are a fault."""
    panel = _panel(tmp_path, COUNTS, more="\nASKED = []\n", cpu=_cpu(0.15))
    assert _decided(panel, SEEN) == [["mine", "momentum"], ["momentum"], ["momentum"], ["momentum"]]
    assert panel.left["mine"].why == "it took 150 ms of CPU for one symbol, of which 100 ms are the most"


def test_who_takes_as_long_as_it_may_is_asked_on(tmp_path: Path) -> None:
    """Up to 100 ms are no fault; where nobody measures, as on a simulated day, nothing is."""
    for cpu in (_cpu(0.0999), None):
        panel = _panel(tmp_path, COUNTS, more="\nASKED = []\n", cpu=cpu)
        assert _decided(panel, SEEN) == [["mine", "momentum"]] * 4
        assert panel.left == {}


def test_a_file_that_cannot_be_used_is_left_out_when_it_is_first_wanted(tmp_path: Path) -> None:
    """It is named with its problem, and the others are asked; a file with a name that ships takes nobody's place."""
    panel = _panel(tmp_path, YES, more="import nothing_of_the_kind\n")
    assert _decided(panel, SEEN[:1]) == [["momentum"]]
    assert "it cannot be used: " in panel.left["mine"].why
    assert "ModuleNotFoundError" in panel.left["mine"].why
    panel = _panel(tmp_path, YES)
    write(tmp_path, "momentum")
    assert _decided(panel, SEEN[:1]) == [["mine", "momentum"]]
    assert not panel.left


LEAVES = "\n\ndef leave(view, own, position):\n    {}\n"


def test_a_reason_to_leave_is_named_with_its_strategy(tmp_path: Path) -> None:
    """The first strategy with a reason gives it; one that is left out gives none."""
    panel = _panel(tmp_path, YES, more=LEAVES.format("return CHEAP"))
    assert panel.leaves(view(), position(), CONFIG) == "mine:CHEAP"
    panel = _panel(tmp_path, YES, more=LEAVES.format("return view.sentiment"))
    assert panel.leaves(view(), position(), CONFIG) == ""
    assert "no attribute 'sentiment'" in panel.left["mine"].why
    assert _decided(panel, SEEN[:1]) == [["momentum"]]


def test_in_turn_the_same_is_decided_and_each_is_noted_before_it_is_asked(tmp_path: Path) -> None:
    """Asking one strategy after the other changes no decision and no record, and says beforehand whom it asks."""
    usual, careful, noted = _panel(tmp_path, RAISES), _panel(tmp_path, RAISES), list[str]()
    expected = _decided(usual, SEEN)
    found = []
    for tick in (SEEN[:2], SEEN[2:]):
        careful.ask_in_turn(tick, CONFIG, noted.append)
        found += _decided(careful, tick)
    assert (found, careful.left) == (expected, usual.left)
    assert noted == ["mine", "momentum", "", "momentum", ""]


def test_the_file_of_who_is_left_out_is_not_run(tmp_path: Path) -> None:
    """A file that ends the process when it is run ends none that begins with the record of its being left out."""
    panel = _panel(tmp_path, YES, more="raise KeyboardInterrupt\n")
    panel.begin([LeftOut(name="mine", why="it died", at=at(30))])
    assert _decided(panel, SEEN[:1]) == [["momentum"]]


def test_what_is_kept_of_a_fault_is_short(tmp_path: Path) -> None:
    """Whatever a file says when it is run, the record of it can be stored, and is a line."""
    panel = _panel(tmp_path, YES, more="raise ValueError('\\ud800\\n' * 99_999)\n")
    _decided(panel, SEEN[:1])
    why = panel.left["mine"].why
    assert len(why) <= 300
    assert "\n" not in why
    assert why.encode()
