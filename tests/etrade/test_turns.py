"""The account's turns over a store: several instances, lost answers, slow commits, and what each of them knows."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from infra.one_machine.memory_store import MemoryStore
from shared.codec import decode, encode
from shared.domain.broker.outcomes import NeverSent, UnknownOutcome
from shared.domain.broker.turns import HOLD, INTERVAL, LONGEST_PAUSE, WIDTH, Purpose, Turns
from shared.errors import Conflict, NotSent, StoreDown
from shared.etrade.turns import LONGEST, MOST_CONFLICTS, AccountTurns
from shared.ports import Document, Put, Where, Write
from tests.etrade import samples
from tests.etrade.test_build import TICKET
from tests.etrade.world import ACCOUNT_KEY, DEADLINE, START, KeptLines, SeededChance, SteadyClock, json_reply, world

PATH = "turns/orders"
PROTECT, SETTLE, ENTER = Purpose.PROTECT, Purpose.SETTLE, Purpose.ENTER


@dataclass
class Shared:
    """A store of several instances whose calls take time, fail or meet another writer, as a test says."""

    clock: SteadyClock
    inner: MemoryStore = field(default_factory=MemoryStore)
    commits_take: list[timedelta] = field(default_factory=list)
    down: bool = False
    conflicts: int = 0
    trips: list[str] = field(default_factory=list)

    def get(self, path: str) -> Document | None:
        """Read one document."""
        self.trips.append("get")
        if self.down:
            raise StoreDown("seeded")
        return self.inner.get(path)

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Apply all writes or none."""
        self.trips.append("commit")
        if self.commits_take:
            self.clock.at += self.commits_take.pop(0)
        if self.conflicts:
            self.conflicts -= 1
            raise Conflict("seeded")
        return self.inner.commit(writes)

    def query(
        self, collection: str, *where: Where, order_by: str | None = None, limit: int | None = None
    ) -> list[Document]:
        """Read the matching documents."""
        return self.inner.query(collection, *where, order_by=order_by, limit=limit)


def instance(store: Shared, seed: int = 1) -> AccountTurns:
    """Give the turns as one more instance has them."""
    return AccountTurns(store=store, clock=store.clock, chance=SeededChance(seed), journal=KeptLines())


@pytest.fixture
def store() -> Shared:
    """Return an empty store on a clock that only sleeping moves."""
    return Shared(SteadyClock())


def call(turns: AccountTurns, store: Shared, purpose: Purpose = PROTECT) -> datetime:
    """Take a turn and send its call; gives when it left."""
    turn = turns.take("orders", purpose)
    assert turn is not None
    turns.sent("orders", turn)
    return store.clock.now()


def test_several_instances_keep_the_limit_together(store: Shared) -> None:
    """Of calls that many instances send in turn, no three leave within a second and its guard."""
    instances = [instance(store, seed) for seed in range(4)]
    left = [call(instances[number % 4], store) for number in range(20)]
    assert all(third - first >= INTERVAL for first, third in zip(left, left[2:], strict=False))
    assert left[-1] - left[0] <= 10 * (INTERVAL + WIDTH)


def test_instances_of_their_own_would_not(store: Shared) -> None:
    """Instances that do not share the document, as they were once, exceed the limit: the test above can fail."""
    instances = [instance(Shared(store.clock), seed) for seed in range(4)]
    left = [call(instances[number % 4], store) for number in range(20)]
    assert any(third - first < INTERVAL for first, third in zip(left, left[2:], strict=False))


def test_an_instance_alone_keeps_the_interval_and_no_more(store: Shared) -> None:
    """One instance knows when its own calls left: its entries leave an interval apart, not a turn's width more."""
    alone = instance(store)
    left = [call(alone, store, ENTER) for _ in range(4)]
    assert [at - START for at in left] == [number * INTERVAL for number in range(4)]


def test_a_turn_costs_one_read_and_one_write(store: Shared) -> None:
    """A call whose turn is free costs the store a read and a commit; one that waits as much again."""
    alone = instance(store)
    call(alone, store)
    assert store.trips == ["get", "commit"]
    call(alone, store)
    store.trips.clear()
    call(alone, store)
    assert store.trips == ["get", "commit", "get", "commit"]


def test_threads_of_one_instance_never_share_a_turn(store: Shared) -> None:
    """Eight threads that ask at once all get turns, each different from the others."""
    alone = instance(store)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: alone.take("orders", PROTECT), range(8)))
    assert None not in found
    assert len({(turn.lane, turn.at) for turn in found if turn is not None}) == 8


def test_no_word_of_the_store_no_call(store: Shared) -> None:
    """Where the store does not answer nothing is sent: a place is NeverSent, a read a NotSent."""
    made = world(json_reply(samples.placed(673)))
    store.down = True
    made.store, made.clock = store, store.clock
    broker = made.broker()
    assert isinstance(broker.place(ACCOUNT_KEY, TICKET, [7], deadline=DEADLINE), NeverSent)
    assert isinstance(broker.cancel(ACCOUNT_KEY, 1), UnknownOutcome)
    with pytest.raises(NotSent):
        broker.accounts()
    assert made.broker_side.requests == []


def test_a_commit_of_open_outcome_sends_nothing(store: Shared) -> None:
    """A turn whose commit may or may not have been applied is not used."""

    class Lost(Shared):
        def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
            """Apply, and say nothing."""
            super().commit(writes)
            raise StoreDown("applied, but nobody heard")

    lost = Lost(store.clock)
    with pytest.raises(NotSent):
        instance(lost).take("orders", PROTECT)
    assert lost.inner.get(PATH) is not None


def test_tries_are_bounded(store: Shared) -> None:
    """A call that always meets another writer gives up, after few tries with pauses between them."""
    store.conflicts = 10_000
    with pytest.raises(NotSent):
        instance(store).take("orders", PROTECT)
    assert store.trips.count("commit") == MOST_CONFLICTS
    assert store.clock.now() - START < timedelta(seconds=0.02 * MOST_CONFLICTS)


def test_a_few_conflicts_cost_little(store: Shared) -> None:
    """A call that meets another writer three times has its turn at the fourth try."""
    store.conflicts = 3
    assert instance(store).take("orders", PROTECT) is not None


def test_a_turn_that_came_too_late_is_not_used(store: Shared) -> None:
    """Where the commit took longer than its turn, another and wider turn is taken, and calls keep their distance."""
    slow, quick = instance(store, 1), instance(store, 2)
    store.commits_take = [timedelta(seconds=0.35), timedelta(seconds=0.35)]
    left = [call(slow, store), call(quick, store), call(quick, store)]
    # 0.35 s is too late for the first turn (0.2 s wide) and in time for the second (0.4 s).
    assert left[0] == START + timedelta(seconds=0.7)
    assert left[2] - left[0] >= INTERVAL


def test_a_distant_turn_is_not_taken(store: Shared) -> None:
    """A turn beyond the caller's patience is refused, and stays free for others."""
    alone = instance(store)
    call(alone, store)
    call(alone, store)
    assert alone.take("orders", PROTECT, within=INTERVAL - timedelta(milliseconds=1)) is None
    assert alone.take("orders", PROTECT, within=INTERVAL) is not None
    assert store.clock.now() == START + INTERVAL


def test_nobody_waits_for_ever(store: Shared) -> None:
    """An entry that others keep waiting gives up after some seconds: the exits behind it in its function go on."""
    alone = instance(store)

    class Busy(SteadyClock):
        def sleep_until(self, at: datetime) -> None:
            """Sleep while an exit waits, whatever becomes free."""
            super().sleep_until(at)
            mark = Turns(free=(at, at), protect_waits_until=at + HOLD)
            store.inner.commit([Put(PATH, encode(mark))])

    store.clock = Busy()
    alone = instance(store)
    for _ in range(2):
        call(alone, store)
    assert alone.take("orders", ENTER) is None
    assert store.clock.now() - START <= LONGEST[ENTER] + 2 * INTERVAL


def test_a_throttle_answer_rests_every_instance(store: Shared) -> None:
    """What one instance was told, all obey; modules rest apart."""
    told, other = instance(store, 1), instance(store, 2)
    told.throttled("orders")
    assert call(other, store) == START + timedelta(seconds=1)
    other.take("accounts", PROTECT)
    assert store.clock.now() == START + timedelta(seconds=1)


def test_a_throttled_instance_rests_even_when_it_cannot_say_so(store: Shared) -> None:
    """Where the store is away, the instance that was told rests all the same."""
    told = instance(store)
    store.down = True
    told.throttled("orders")
    store.down = False
    assert store.inner.get(PATH) is None
    assert call(told, store) == START + LONGEST_PAUSE


def test_a_document_that_nobody_can_read_is_replaced(store: Shared) -> None:
    """Turns that cannot be read are reported and begun anew, after a rest in which all that they gave is over."""
    store.inner.commit([Put(PATH, {"free": "soon"})])
    for purpose in (ENTER, PROTECT):
        assert call(instance(store), store, purpose) - START > WIDTH + INTERVAL
    found = store.inner.get(PATH)
    assert found is not None
    assert decode(Turns, found.data) != Turns(free=(START, START))


@pytest.mark.parametrize("purpose", Purpose)
def test_instants_of_a_clock_that_was_far_ahead_keep_nobody_waiting_for_ever(store: Shared, purpose: Purpose) -> None:
    """Turns that a clock a day ahead has written are over after the longest rest, whoever calls."""
    ahead = START + timedelta(days=1)
    wrong = Turns(
        free=(ahead, ahead), protect_waits_until=ahead, settle_waits_until=ahead, paused_until=ahead,
        slow_until=ahead, strikes=9_999,
    )  # fmt: skip
    store.inner.commit([Put(PATH, encode(wrong))])
    turns = instance(store)
    turn = turns.take("orders", purpose, within=LONGEST_PAUSE + timedelta(seconds=4))
    assert turn is not None
    turns.throttled("orders")
    assert call(turns, store, PROTECT) - turn.at <= LONGEST_PAUSE + timedelta(seconds=4)


def test_with_a_slow_store_an_order_s_turn_comes_before_its_deadline(store: Shared) -> None:
    """An instance that has found out how long a commit takes gets its next turn at once, and a narrow one later."""
    turns = instance(store)
    store.commits_take = [timedelta(seconds=1.5)] * 8
    assert turns.take("orders", PROTECT) is not None
    assert turns.take("orders", PROTECT, within=timedelta(seconds=4)) is not None
    store.commits_take = []
    for _ in range(4):
        turns.take("orders", PROTECT)
    turn = turns.take("orders", PROTECT)
    assert turn is not None
    assert turn.until - turn.at == WIDTH
