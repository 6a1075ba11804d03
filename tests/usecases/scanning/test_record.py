"""A recording of the scan's looks: deciding it again gives the same signals and receipts, and it never costs a look."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from infra.simulated_day.replayed import Replayed, replay
from shared.codec import loads
from shared.domain.market.quotes import Quotes
from shared.domain.telling.recording import RecordingEnded
from shared.errors import NotSent
from shared.ports import Where
from shared.usecases.base import outbox
from shared.usecases.scanning.record import MemoryRecord, Record
from shared.usecases.scanning.scan_memory import ScanMemory
from tests.usecases.kept_looks import ListedLooks
from tests.usecases.shifts import MarketBroker, Shifts

MINUTES = 25
SLOW_FROM, SLOW_TO = 300, 330
Lines = list[list[Any]]


class Stumbling(MarketBroker):
    """Some calls fail, some symbols have no quote, and for half a minute each answer takes seconds."""

    opens_at: datetime

    def quotes(self, symbols: Any, *, others: Any = (), next_at: Any = None) -> Quotes:
        """Quote as the market stands, but for that."""
        second = int((self._kernel.now() - self.opens_at).total_seconds())
        found = super().quotes(symbols, others=others, next_at=next_at)
        if second % 97 == 0:
            return Quotes({}, failed={symbol: NotSent("a connection that broke") for symbol in symbols})
        if second % 41 == 0:
            return Quotes({symbol: quote for symbol, quote in found.items() if symbol != symbols[0]})
        return found


class Recorded:
    """Minutes of a market that two memories scan in turn, some handed over and some not, with a recording."""

    def __init__(self, looks: ListedLooks | None) -> None:
        self.shifts = Shifts(symbols=4)
        broker = Stumbling(self.shifts.broker._market, self.shifts.kernel)
        broker.opens_at = self.shifts.session.opens_at
        broker.takes_s = self._takes_s
        self.shifts.broker = broker
        self.shifts.desk = self.shifts._desk(self.shifts.desk.config)
        self.looks = looks
        self.start_process()

    def _takes_s(self) -> float:
        second = (self.shifts.kernel.now() - self.shifts.session.opens_at).total_seconds()
        return 2.6 if SLOW_FROM <= second < SLOW_TO else 0.2

    def start_process(self) -> None:
        """Begin with memories that know nothing."""
        record = None if self.looks is None else Record(self.looks)
        self.memories = [
            ScanMemory(record=None if record is None else MemoryRecord(record, number)) for number in (1, 2)
        ]

    def scan(self, first: int, last: int, *, name: str = "market_scan") -> None:
        """Let the ticks of these minutes come, two of three late enough for a hand-over."""
        for minute in range(first, last):
            late_s = 0.02 if minute % 3 == 0 else 1.7
            self.shifts.tick(minute, self.memories[minute % 2], late_s=late_s, name=name)
        self.shifts.run(last)


def recorded() -> tuple[Recorded, Lines]:
    """Record some minutes, and give the lines."""
    looks = ListedLooks()
    found = Recorded(looks)
    found.scan(0, MINUTES)
    found.shifts.run(MINUTES + 1)
    return found, looks.lines


@pytest.fixture(scope="module")
def day() -> tuple[Recorded, Lines]:
    """Return recorded minutes, played once."""
    return recorded()


def again(lines: Lines) -> Replayed:
    """Decide again."""
    return replay([list(line) for line in lines])


def test_a_recording_is_decided_again_as_it_was(day: tuple[Recorded, Lines]) -> None:
    """Every signal and every receipt of the recorded minutes comes out byte for byte, over all hand-overs."""
    found = again(day[1])
    assert found.differences == []
    assert found.differing == 0
    assert (found.signals, found.minutes) >= (1, MINUTES)
    assert found.looks > MINUTES * 50
    codes = {line[2] for line in day[1] if line[0] == "look" for line in line[4]}
    assert "NotSent" in codes


def test_every_signal_and_every_receipt_is_in_the_recording(day: tuple[Recorded, Lines]) -> None:
    """What the store holds of signals and receipts is what the recording says of them, none missing."""
    played, lines = day
    left = {path: row.data for path, row in played.shifts.left(("signals", "receipts")).items()}
    signals = {f"signals/{line[2]['signal_id']}" for line in lines if line[0] == "signal"}
    assert signals == {path for path in left if path.startswith("signals/")}
    written = {line[2]: line[3] for line in lines if line[0] == "wrote"}
    receipts = [data for path, data in left.items() if path.startswith("receipts/")]
    assert len(receipts) >= MINUTES
    for receipt in receipts:
        assert written[receipt["minute"].replace("+00:00", "Z")] == receipt["symbols"]


def test_a_second_that_was_skipped_stays_skipped(day: tuple[Recorded, Lines]) -> None:
    """While answers took seconds the scan skipped ticks, and the recording has no look for them."""
    played, lines = day
    slow = [line for line in lines if line[0] == "look"]
    opens_at = played.shifts.session.opens_at
    begins, ends = (opens_at + timedelta(seconds=one) for one in (SLOW_FROM + 3, SLOW_TO))
    seen = [line for line in slow if begins.isoformat() < line[3].replace("Z", "+00:00") < ends.isoformat()]
    assert 0 < len(seen) < (SLOW_TO - SLOW_FROM) / 2


def _without_a_look(lines: Lines) -> Lines:
    place = [number for number, line in enumerate(lines) if line[0] == "look"][700]
    return lines[:place] + lines[place + 1 :]


def _a_cent_off(lines: Lines) -> Lines:
    for line in lines:
        for row in line[4] if line[0] == "look" else ():
            if isinstance(row[4], list):
                row[4][4] = str(round(float(row[4][4]) * 1.02, 2))
    return lines


def _another_configuration(lines: Lines) -> Lines:
    for line in lines:
        if line[0] == "config":
            line[3]["universe"]["price_min"] = "150"
    return lines


def _without_days(lines: Lines) -> Lines:
    return [line if line[0] != "days" else [*line[:3], None] for line in lines]


@pytest.mark.parametrize("mistake", [_without_a_look, _a_cent_off, _another_configuration, _without_days])
def test_a_recording_with_a_mistake_would_be_found(
    day: tuple[Recorded, Lines], mistake: Callable[[Lines], Lines]
) -> None:
    """A look that is missing, other prices, another configuration, no daily bars: the replay differs and says where."""
    lines = mistake([loads(line) for line in day[0].looks.raw])  # type: ignore[union-attr]
    found = again(lines)
    assert found.differing > 0
    assert found.differences


def test_a_recording_changes_nothing_that_is_decided(day: tuple[Recorded, Lines]) -> None:
    """The same minutes without a recording leave the same signals, receipts, books and watches."""
    without = Recorded(None)
    without.scan(0, MINUTES)
    without.shifts.run(MINUTES + 1)
    assert without.shifts.left() == day[0].shifts.left()


def test_a_process_that_died_goes_on_from_the_books_it_left() -> None:
    """Killed within a minute, another process begins cold; the replay forgets the same seconds as the system did."""
    looks = ListedLooks()
    played = Recorded(looks)
    played.scan(0, 16)
    played.shifts.tick(16, played.memories[0])
    played.shifts.run(16.6)
    assert played.shifts.kernel.crash("market_scan")
    lost = [line for line in looks.lines if line[0] == "look"][-1]
    played.start_process()
    played.scan(17, 24)
    played.shifts.run(25)
    found = again(looks.lines)
    assert (found.differing, found.differences) == (0, [])
    assert lost[3].endswith(f"{played.shifts.begins(16):%H:%M}:35Z")  # seen, recorded, and forgotten with the process
    assert again(_without_books(looks.lines)).differing > 0


def _without_books(lines: Lines) -> Lines:
    """Let the new process begin with books that know nothing of the session."""
    begins = max(number for number, line in enumerate(lines) if line[0] == "looks")
    first = next(number for number, line in enumerate(lines) if number > begins and line[0] == "began")
    assert lines[first][3]
    return [*lines[:first], [*lines[first][:3], {}, lines[first][4]], *lines[first + 1 :]]


def test_a_recording_that_begins_in_the_middle_of_the_day_has_all_it_needs() -> None:
    """Wanted from the tenth minute on, and again after a pause: books and daily bars stand in it, and it is equal."""
    looks = ListedLooks()
    looks.wanted = False
    played = Recorded(looks)
    played.scan(0, 10)
    assert looks.raw == []
    looks.wanted = True
    played.scan(10, 16)
    looks.wanted = False
    played.scan(16, 19)
    looks.wanted = True
    played.scan(19, 24)
    played.shifts.run(25)
    found = again(looks.lines)
    assert (found.differing, found.gaps) == (0, 1)
    assert found.looks > 500


def test_a_full_disk_ends_the_recording_and_nothing_else(day: tuple[Recorded, Lines]) -> None:
    """Where no line can be kept any more the scan decides as before, and the owner is told once."""
    looks = ListedLooks()
    played = Recorded(looks)
    played.scan(0, 12)
    kept = len(looks.raw)
    looks.full = True
    played.scan(12, MINUTES)
    played.shifts.run(MINUTES + 1)
    assert len(looks.raw) == kept
    assert again(looks.lines).differing == 0
    whole = day[0].shifts.left()
    assert played.shifts.left() == whole
    told = [outbox.unpack(row.data["body"].encode()) for row in _notices(played)]
    assert [type(one) for one in told].count(RecordingEnded) == 1


def _notices(played: Recorded) -> list[Any]:
    return played.shifts.store.query("outbox", Where("topic", "==", outbox.NOTICES))


class BreaksLooks(ListedLooks):
    """Fails as no disk of ours does."""

    broken = False

    def keep(self, line: bytes) -> None:
        """Keep a line, while it is whole."""
        if self.broken:
            raise ValueError("nobody thought of this")
        super().keep(line)


def test_whatever_goes_wrong_ends_the_recording_and_nothing_else(day: tuple[Recorded, Lines]) -> None:
    """What no adapter says it raises costs the scan nothing either, and the owner is told once."""
    looks = BreaksLooks()
    played = Recorded(looks)
    played.scan(0, 12)
    looks.broken = True
    played.scan(12, MINUTES)
    played.shifts.run(MINUTES + 1)
    assert played.shifts.left() == day[0].shifts.left()
    told = [outbox.unpack(row.data["body"].encode()) for row in _notices(played)]
    assert [type(one) for one in told].count(RecordingEnded) == 1
