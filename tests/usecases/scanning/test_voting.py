"""The scan asks strategies after it has judged what is held, and none of them stops it for longer than two minutes."""

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from shared.codec import decode
from shared.domain.market.quotes import Quote
from shared.domain.telling.left_out import LeftOut, SessionLeftOut, StrategyLeftOut
from shared.errors import StoreDown
from shared.ports import Delete, Put, Write
from shared.strategies.panel import Panel
from shared.usecases.market.minutes import LOOKS_BACK
from shared.usecases.scanning.scan_memory import ScanMemory
from shared.usecases.scanning.voting import DIED
from tests.domain.made import OPENS, at
from tests.patience import PATIENCE_S
from tests.strategies.own import write
from tests.usecases.stage import BEGUN, HELD, SECOND, WATCHED, Recorded, Said, Stage, sound, stage

YES = "return Vote(strategy=NAME, confidence=Decimal('0.80'), reasons=('yes',))"
DIES = "raise KeyboardInterrupt"
PATH = f"left_out/{OPENS.date().isoformat()}"


def _played(folder: Path, vote: str, more: str = "") -> Stage:
    """Give a scan that asks a strategy of the owner's beside those of the demonstration."""
    played = stage()
    write(folder, vote=vote, more=more)
    played.config = replace(played.config, strategies={**played.config.strategies, "mine": {}})
    _anew(played, folder)
    return played


def _anew(played: Stage, folder: Path, panel: type[Panel] = Panel) -> None:
    played.memory = ScanMemory(panel=panel(folder=str(folder)))


def _die(played: Stage, folder: Path, panel: type[Panel] = Panel) -> None:
    """Let the process die in the next minute, and another one begin after it."""
    with pytest.raises(KeyboardInterrupt):
        played.play(sound)
    played.minute += 1
    _anew(played, folder, panel)


def _left(played: Stage) -> tuple[LeftOut, ...]:
    document = played.store.get(PATH)
    return () if document is None else decode(SessionLeftOut, document.data).strategies


def _told(played: Stage) -> list[str]:
    return [one.left.name for one in played.told() if isinstance(one, StrategyLeftOut)]


def _voters(played: Stage, since: datetime) -> set[str]:
    return {vote.strategy for one in played.signals() if one.decided_at >= since for vote in one.votes}


def _at_target(symbol: str, now: datetime) -> Said:
    """Quote what is held far above its target, and what is watched as ever."""
    seen = sound(symbol, now)
    return _priced(seen, 200) if symbol == HELD else seen


def _priced(seen: Quote, cents: int) -> Quote:
    return replace(seen, last=seen.last + cents // 100, bid=seen.bid + cents // 100, ask=seen.ask + cents // 100)


RAISES_ONCE = f"if view.at.minute == 50 and view.at.second == 30: raise ValueError('odd')\n    {YES}"


def test_who_is_left_out_stays_out_and_the_owner_is_told_once(tmp_path: Path) -> None:
    """After its fault a strategy votes no more, warm or cold; the record says what it did, and one notice tells it."""
    played = _played(tmp_path, RAISES_ONCE)
    played.play(sound, minutes=2)
    _anew(played, tmp_path)
    played.play(sound, minutes=8)
    fault = at(BEGUN) + 30 * SECOND
    assert _left(played) == (LeftOut(name="mine", why="it raised ValueError: odd", at=fault, about=WATCHED),)
    assert _told(played) == ["mine"]
    assert "momentum" in _voters(played, fault)
    assert "mine" not in _voters(played, fault)
    assert "mine" in _voters(played, OPENS)


def test_an_instance_that_does_not_read_the_record_would_be_found(tmp_path: Path) -> None:
    """Seeded mistake: whoever begins cold without the record lets a strategy vote that was left out."""

    class Forgetful(Panel):
        def begin(self, left: object = ()) -> None:
            super().begin()

    played = _played(tmp_path, RAISES_ONCE)
    played.play(sound, minutes=2)
    _anew(played, tmp_path, Forgetful)
    played.play(sound, minutes=8)
    assert "mine" in _voters(played, at(BEGUN + 2))


AT_ONCE = {"vote": YES, "more": f"\n{DIES}\n"}
DEATHS = pytest.mark.parametrize("dies", [{"vote": DIES}, AT_ONCE], ids=["when it is asked", "when it is run"])


@DEATHS
def test_what_is_held_is_judged_before_any_strategy_is_asked(tmp_path: Path, dies: dict[str, str]) -> None:
    """A strategy that ends the process at the first tick of a minute has not kept what is held from being sold."""
    played = _played(tmp_path, **dies)
    with pytest.raises(KeyboardInterrupt):
        played.play(_at_target)
    assert [one.reason for one in played.exits()] == ["target"]


@DEATHS
def test_a_strategy_that_ends_the_process_is_left_out_after_two_minutes(tmp_path: Path, dies: dict[str, str]) -> None:
    """The minute after one that died notes whom it asks; when that dies too, the one after goes on without it."""
    played = _played(tmp_path, **dies)
    _die(played, tmp_path)
    assert _left(played) == ()
    _die(played, tmp_path)
    played.play(sound, minutes=2)
    (one,) = _left(played)
    assert (one.name, one.at, one.about) == ("mine", at(BEGUN + 2), "")
    assert "died" in one.why
    assert _told(played) == ["mine"]
    assert "mine" not in _voters(played, at(BEGUN))
    assert played.signals()


HANGS = """import pathlib
    pathlib.Path({file!r}).touch()
    while True: pass"""
"""A strategy that never answers; it says that it was asked, for whoever ends its process to know when."""


@contextmanager
def _ended_when_it_hangs(file: Path) -> Iterator[None]:
    """End the minute from outside as soon as the strategy hangs, as the platform ends a process that takes too long."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    def watch() -> None:
        until = time.monotonic() + PATIENCE_S
        while not file.exists() and time.monotonic() < until:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, end)
    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield
    finally:
        watching.join()
        signal.signal(signal.SIGUSR1, before)
        file.unlink()


def test_a_strategy_that_never_answers_is_left_out_by_the_minute_after(tmp_path: Path) -> None:
    """What is held is sold before it is asked; the third minute does without it, and the owner is told once."""
    file = tmp_path / "asked"
    played = _played(tmp_path, HANGS.format(file=str(file)))
    with _ended_when_it_hangs(file), pytest.raises(KeyboardInterrupt):
        played.play(_at_target)
    assert [one.reason for one in played.exits()] == ["target"]
    assert _left(played) == ()
    played.minute += 1
    _anew(played, tmp_path)
    with _ended_when_it_hangs(file):
        _die(played, tmp_path)
    played.play(sound, minutes=2)
    (one,) = _left(played)
    assert (one.name, one.at, one.why) == ("mine", at(BEGUN + 2), DIED)
    assert _told(played) == ["mine"]
    assert not file.exists()
    assert "momentum" in _voters(played, at(BEGUN + 2))


def _hung(tmp_path: Path, nobody: int) -> Stage:
    """Let a strategy take two minutes and their instances with it, so that nobody takes some of those after them."""
    played = _played(tmp_path, DIES)
    for _ in range(2):
        _die(played, tmp_path)
    for _ in range(nobody):
        played.store.commit([Delete(f"minutes/{at(played.minute):%Y%m%dT%H%M}")])
        played.minute += 1
    return played


@pytest.mark.parametrize("nobody", range(LOOKS_BACK))
def test_minutes_that_nobody_could_take_hide_no_strategy(tmp_path: Path, nobody: int) -> None:
    """What hangs keeps every instance until it is ended; the first minute after that knows whom the last one asked."""
    played = _hung(tmp_path, nobody)
    begins = at(played.minute)
    played.play(sound, minutes=2)
    assert [(one.name, one.at) for one in _left(played)] == [("mine", begins)]


def test_to_look_at_the_minute_before_alone_would_be_found(tmp_path: Path) -> None:
    """Seeded mistake: with more such minutes than are looked back at, the strategy is asked again, and hangs again."""
    played = _hung(tmp_path, LOOKS_BACK)
    with pytest.raises(KeyboardInterrupt):
        played.play(sound, minutes=4)
    assert _left(played) == ()


def test_a_strategy_that_waits_without_work_is_asked_on(tmp_path: Path) -> None:
    """The limit of 100 ms counts CPU alone: one that sleeps longer makes its ticks late, and is asked on."""
    sleeps = f"import time; time.sleep(0.15 if view.at.second < 3 else 0)\n    {YES}"
    played = _played(tmp_path, sleeps)
    played.memory = ScanMemory(panel=Panel(folder=str(tmp_path), cpu=time.thread_time))
    played.play(sound)
    assert _left(played) == ()
    assert "mine" in _voters(played, at(BEGUN))


def test_a_strategy_that_works_as_long_would_be_left_out(tmp_path: Path) -> None:
    """Seeded mistake: the same strategy with work in place of sleep has no place at its second long answer."""
    waits = "while view.at.second < 3 and time.thread_time() < ends: pass"
    works = f"import time; ends = time.thread_time() + 0.15\n    {waits}\n    {YES}"
    played = _played(tmp_path, works)
    played.memory = ScanMemory(panel=Panel(folder=str(tmp_path), cpu=time.thread_time))
    played.play(sound)
    (one,) = _left(played)
    assert "ms of CPU" in one.why


def test_without_the_note_every_minute_would_die(tmp_path: Path) -> None:
    """Seeded mistake: where nothing is noted before a strategy is asked, the third minute dies as well."""

    class Silent(Panel):
        def ask_in_turn(self, *_: object) -> None:
            pass

    played = _played(tmp_path, DIES)
    for _ in range(3):
        _die(played, tmp_path, Silent)
    assert _left(played) == ()


def test_one_death_blames_nobody(tmp_path: Path) -> None:
    """A machine that dies once leaves no strategy out: the minute after it ends, and notes no more."""
    dies_once = f"if view.at.minute == 50: raise KeyboardInterrupt\n    {YES}"
    played = _played(tmp_path, dies_once)
    _die(played, tmp_path)
    played.play(sound, minutes=2)
    assert (_left(played), _told(played)) == ((), [])
    assert "mine" in _voters(played, at(BEGUN))
    document = played.store.get(f"minutes/{at(BEGUN + 1):%Y%m%dT%H%M}")
    assert document is not None
    assert document.data["asks"] == ""


def test_a_minute_that_notes_decides_as_any_other(tmp_path: Path) -> None:
    """What is decided after a death is what would have been without it, once nobody waits for who died."""
    notes, usual = (_played(tmp_path, YES) for _ in range(2))
    usual.play(sound, minutes=2)
    notes.play(sound)
    path = f"minutes/{at(BEGUN):%Y%m%dT%H%M}"
    died = notes.store.get(path)
    assert died is not None
    notes.store.commit([Put(path, {**died.data, "ahead": None})])
    notes.play(sound)
    for second in range(5, 60):
        tick = at(BEGUN + 1) + second * SECOND
        assert notes.verdict(WATCHED, tick) == usual.verdict(WATCHED, tick)


LEAVE = "\n\ndef leave(view, own, position):\n    return {}\n"


@pytest.mark.parametrize(
    ("leave", "script", "reasons"),
    [
        ("CHEAP", sound, ["mine:CHEAP"]),
        ("None", sound, []),
        ("None", _at_target, ["target"]),
        ("CHEAP", _at_target, ["target"]),
        ("view.sentiment", _at_target, ["target"]),
    ],
)
def test_a_strategy_may_add_a_reason_to_leave_and_take_none_away(
    tmp_path: Path, leave: str, script: object, reasons: Sequence[str]
) -> None:
    """Its reason sells what no rule of ours sells; what a rule of ours sells is sold by that rule, whatever it says."""
    played = _played(tmp_path, YES, LEAVE.format(leave))
    played.play(script)  # type: ignore[arg-type]
    assert [one.reason for one in played.exits()][:1] == list(reasons)
    if reasons == ["mine:CHEAP"]:
        assert played.verdict(HELD, at(BEGUN)) == "exit:mine:CHEAP"


class LosesRecords(Recorded):
    """A store that does not take the first records of who was left out."""

    left = 3

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Apply the writes but those of the record."""
        if self.left and any(one.path == PATH for one in writes):
            self.left -= 1
            raise StoreDown("not now")
        return super().commit(writes)


def test_a_record_that_the_store_does_not_take_comes_later(tmp_path: Path) -> None:
    """The strategy is left out at once, and the record with its notice is written at a later tick."""
    played = _played(tmp_path, RAISES_ONCE)
    played.store.__class__ = LosesRecords
    played.play(sound, minutes=2)
    assert [one.name for one in _left(played)] == ["mine"]
    assert _told(played) == ["mine"]
    assert "mine" not in _voters(played, at(BEGUN) + 30 * SECOND)
