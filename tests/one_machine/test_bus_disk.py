"""The bus and the scheduler on a disk that refuses for a while: nothing unnoted is delivered, nothing is lost."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.one_machine.bus import LocalBus
from infra.one_machine.clock import SeededChance
from infra.one_machine.kernel import Kernel
from infra.one_machine.queue import SqliteQueue
from infra.one_machine.scheduler import LocalScheduler
from shared.errors import NotSent
from shared.stored import Domain
from shared.topology import Function, Schedule, Subscription, Topology

START = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)
TRIES = 3
_TOPOLOGY = Topology(
    functions=(
        Function(
            name="taker", purpose="takes", home=Domain.BOOK,
            subscriptions=(Subscription(topic="works", min_backoff_s=1, max_backoff_s=2, max_attempts=TRIES),),
        ),
    ),
    topics={"works": ""}, schedules=(), secrets={}, collections={},
)  # fmt: skip


class _Town:
    """A bus whose disk refuses the writes that `refuse` names, by table and verb, until `accept`."""

    def __init__(self, path: Path) -> None:
        self.kernel = Kernel(start=START, seed=1)
        self.queue = SqliteQueue(path)
        self.attempts: list[int] = []
        self.statuses: Callable[[int], int] = lambda _attempt: 204
        self.during: Callable[[], None] = lambda: None
        self._outside = sqlite3.connect(path, isolation_level=None)
        self.bus = LocalBus(
            kernel=self.kernel, topology=_TOPOLOGY, queue=self.queue, deliver=self._deliver,
            chance=SeededChance(seed=1, name="bus"),
        )  # fmt: skip

    def refuse(self, write: str) -> None:
        """Have the disk refuse `INSERT ON messages`, `UPDATE ON deliveries`, and so on."""
        self._outside.execute(
            f"CREATE TRIGGER refusal BEFORE {write} BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )

    def accept(self) -> None:
        """Have the disk accept everything again."""
        self._outside.execute("DROP TRIGGER refusal")

    def noted(self) -> list[int]:
        """Give the attempts that are on the disk."""
        return [row[0] for row in self._outside.execute("SELECT attempts FROM deliveries")]

    def run(self, seconds: float) -> None:
        """Let the town live."""
        self.kernel.run(self.kernel.now() + timedelta(seconds=seconds))

    def close(self) -> None:
        """Close the files."""
        self.kernel.close()
        self.queue.close()
        self._outside.close()

    def _deliver(self, _function: str, _body: bytes) -> int:
        (noted,) = self.noted() or [0]
        self.attempts.append(noted)
        self.during()
        return self.statuses(len(self.attempts))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[_Town]:
    """Give a town."""
    with closing(_Town(tmp_path / "state.db")) as town:
        yield town


def test_what_cannot_be_noted_is_not_delivered(town: _Town) -> None:
    """While the disk refuses to note an attempt nothing is delivered; afterwards each attempt is noted before it is."""
    town.bus.publish("works", b"x", attributes={})
    town.refuse("UPDATE ON deliveries")
    town.run(600)
    assert (town.attempts, town.bus.pending, town.noted()) == ([], 1, [0])
    town.accept()
    town.statuses = lambda attempt: 204 if attempt == 2 else 500
    town.run(60)
    assert town.attempts == [1, 2]
    assert (town.bus.pending, town.queue.pending(), town.bus.dead_letters()) == (0, [], [])


def test_an_end_that_cannot_be_noted_is_noted_later(town: _Town) -> None:
    """A delivery that was acknowledged while the disk refuses is not made again, and is forgotten once it accepts."""
    town.during = lambda: town.refuse("DELETE ON deliveries")
    town.bus.publish("works", b"x", attributes={})
    town.run(600)
    assert (town.attempts, town.bus.pending, len(town.queue.pending())) == ([1], 1, 1)
    town.accept()
    town.run(5)
    assert (town.attempts, town.bus.pending, town.queue.pending()) == ([1], 0, [])


def test_a_dead_letter_that_cannot_be_kept_is_kept_later(town: _Town) -> None:
    """A message whose last attempt failed while the disk refuses is neither lost nor delivered once more."""
    town.statuses = lambda _attempt: 500
    town.bus.publish("works", b"x", attributes={})
    town.refuse("INSERT ON dead_letters")
    town.run(600)
    assert (town.attempts, town.bus.pending, len(town.queue.pending())) == ([1, 2, 3], 1, 1)
    town.accept()
    town.run(5)
    assert (town.attempts, town.bus.pending, town.queue.pending()) == ([1, 2, 3], 0, [])
    assert [letter.attempts for letter in town.bus.dead_letters()] == [TRIES]


def test_a_kill_while_the_disk_refuses_delivers_again(tmp_path: Path) -> None:
    """A process that dies before an acknowledgement is noted leaves the message for the next one, which counts on."""
    with closing(_Town(tmp_path / "state.db")) as first:
        first.during = lambda: first.refuse("DELETE ON deliveries")
        first.bus.publish("works", b"x", attributes={})
        first.run(30)
        first.accept()
        assert first.attempts == [1]
    with closing(_Town(tmp_path / "state.db")) as second:
        second.bus.resume()
        second.run(30)
        assert (second.attempts, second.bus.pending, second.queue.pending()) == ([2], 0, [])


def test_a_refused_publish_leaves_nothing_behind(town: _Town) -> None:
    """A message that the disk takes only half of is NotSent, and nothing of it is kept or delivered."""
    town.refuse("INSERT ON deliveries")
    with pytest.raises(NotSent):
        town.bus.publish("works", b"x", attributes={})
    town.run(60)
    town.accept()
    assert (town.attempts, town.bus.pending, town.queue.pending()) == ([], 0, [])
    assert town.bus.publish("works", b"y", attributes={}) == "1"


@pytest.mark.parametrize(("refused_s", "minutes"), [(40, [0, 1, 2]), (90, [1, 2])])
def test_a_tick_that_is_refused_comes_late_or_the_next_one_does(
    town: _Town, refused_s: int, minutes: list[int]
) -> None:
    """A tick that cannot be published is tried again for a minute; then the next one has to do."""
    came = list[int]()
    town.during = lambda: came.append((town.kernel.now() - START) // timedelta(minutes=1))
    job = Schedule(name="job", cron="* * * * *", topic="works", message="work")
    scheduler = LocalScheduler(kernel=town.kernel, bus=town.bus, body_of=lambda _kind: b"{}")
    scheduler.start((job,), until=START + timedelta(minutes=2))
    town.refuse("INSERT ON messages")
    town.run(refused_s)
    assert came == []
    town.accept()
    town.run(600)
    assert came == minutes
