"""Turns over a store that takes seconds for a commit: rarer, never impossible, and never two in one place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from infra.one_machine.clock import KernelClock, SeededChance
from infra.one_machine.kernel import Kernel
from infra.one_machine.memory_store import MemoryStore
from shared.domain.broker.turns import INTERVAL, Purpose
from shared.errors import NotSent
from shared.etrade.turns import AccountTurns
from shared.ports import Document, Where, Write
from tests.etrade.world import KeptLines

START = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
LASTS = timedelta(minutes=20)
PROTECT, SETTLE, ENTER = Purpose.PROTECT, Purpose.SETTLE, Purpose.ENTER


@dataclass
class Slow:
    """A store whose commits last a while, half of it before they are applied."""

    kernel: Kernel
    lasts: float
    inner: MemoryStore = field(default_factory=MemoryStore)

    def get(self, path: str) -> Document | None:
        """Read one document."""
        self.kernel.sleep(0.02)
        return self.inner.get(path)

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Apply all writes or none."""
        self.kernel.sleep(self.lasts / 2)
        try:
            return self.inner.commit(writes)
        finally:
            self.kernel.sleep(self.lasts / 2)

    def query(
        self, collection: str, *where: Where, order_by: str | None = None, limit: int | None = None
    ) -> list[Document]:
        """Read the matching documents."""
        return self.inner.query(collection, *where, order_by=order_by, limit=limit)


@dataclass
class Calls:
    """What left, by purpose, over a kernel on which instances ask again and again."""

    kernel: Kernel
    store: Slow
    left: list[tuple[datetime, Purpose]] = field(default_factory=list)
    gaps: dict[Purpose, timedelta] = field(default_factory=dict)
    wanted: dict[str, tuple[Purpose, datetime]] = field(default_factory=dict)

    def asks(self, purpose: Purpose, seed: int, *, pause_s: float) -> None:
        """Let one more instance call again and again, with a pause after each call."""
        clock, chance = KernelClock(self.kernel), SeededChance(seed=seed, name="turns")
        turns = AccountTurns(store=self.store, clock=clock, chance=chance, journal=KeptLines())
        name = f"{purpose} {seed}"
        self.kernel.spawn(lambda: self._ask(name, turns, purpose, pause_s), name=name)

    def _ask(self, name: str, turns: AccountTurns, purpose: Purpose, pause_s: float) -> None:
        while True:
            self.wanted[name] = (purpose, self.kernel.now())
            while not self._called(turns, purpose):
                self.kernel.sleep(0.1)
            self._note(name)
            self.kernel.sleep(pause_s)

    def _note(self, name: str) -> None:
        purpose, since = self.wanted.pop(name)
        self.gaps[purpose] = max(self.gaps.get(purpose, timedelta(0)), self.kernel.now() - since)

    def _called(self, turns: AccountTurns, purpose: Purpose) -> bool:
        try:
            turn = turns.take("orders", purpose)
        except NotSent:
            return False
        if turn is not None:
            turns.sent("orders", turn)
            self.left.append((self.kernel.now(), purpose))
        return turn is not None

    def crowded(self) -> list[datetime]:
        """Give the instants at which a third call left within an interval."""
        at = sorted(at for at, _ in self.left)
        return [third for first, third in zip(at, at[2:], strict=False) if third - first < INTERVAL]

    def longest(self, purpose: Purpose) -> timedelta:
        """Give how long a call of a purpose waited at most, those that wait still included."""
        for name in [*self.wanted]:
            self._note(name)
        return self.gaps[purpose]

    def count(self, purpose: Purpose) -> int:
        """Count the calls of a purpose."""
        return sum(one is purpose for _, one in self.left)


def _over(lasts: float, instances: Callable[[Calls], None], *, seed: int = 0) -> Calls:
    kernel = Kernel(start=START, seed=seed)
    calls = Calls(kernel=kernel, store=Slow(kernel, lasts))
    instances(calls)
    kernel.run(START + LASTS)
    kernel.close()
    return calls


def _crowd(calls: Calls) -> None:
    """Let two instances send exits and stops, one lists, and two entries, each as soon as they were idle a while."""
    for number, (purpose, pause_s) in enumerate(((PROTECT, 20), (PROTECT, 20), (SETTLE, 5), (ENTER, 3), (ENTER, 3))):
        calls.asks(purpose, number, pause_s=pause_s)


@pytest.mark.parametrize("lasts", [2, 5, 10])
def test_an_exit_alone_leaves_in_bounded_time_however_slow_the_store(lasts: float) -> None:
    """With commits of 2, 5 and 10 s an exit's first call leaves after two commits, and every later one after one."""
    calls = _over(lasts, lambda calls: calls.asks(PROTECT, 0, pause_s=3))
    assert calls.left[0][0] - START <= timedelta(seconds=2 * lasts + 1)
    assert calls.count(PROTECT) >= LASTS / timedelta(seconds=lasts + 4) - 2
    assert calls.crowded() == []


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("lasts", [2, 5, 10])
def test_exits_and_lists_leave_in_bounded_time_among_others(lasts: float, seed: int) -> None:
    """Where five instances want turns of a slow store, each exit, stop and list leaves, and no three calls together."""
    calls = _over(lasts, _crowd, seed=seed)
    assert calls.crowded() == []
    for purpose in (PROTECT, SETTLE):
        assert calls.longest(purpose) <= timedelta(seconds=60 + 25 * lasts), purpose


@pytest.mark.parametrize("lasts", [2, 5, 10])
def test_turns_that_stay_narrow_would_never_come(lasts: float) -> None:
    """An entry, whose turns do not widen beyond 1.6 s as once no turn did, has none: the tests above can fail."""
    assert _over(lasts, lambda calls: calls.asks(ENTER, 0, pause_s=3)).left == []


@pytest.mark.parametrize("seed", range(2))
def test_with_a_quick_store_everybody_s_turn_comes(seed: int) -> None:
    """With commits of 20 ms exits, lists and entries all have their turns within seconds."""
    calls = _over(0.02, _crowd, seed=seed)
    assert calls.crowded() == []
    assert max(calls.longest(purpose) for purpose in Purpose) <= timedelta(seconds=8)
