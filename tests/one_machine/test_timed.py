"""Timed ports: the effect falls between two yields, so others and crashes get between."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.one_machine.clock import SeededChance
from infra.one_machine.kernel import Kernel
from infra.one_machine.memory_store import MemoryStore
from infra.one_machine.timed import Latency, TimedBus, TimedStore, TimedVault
from shared.errors import Conflict
from shared.ports import Bus, Create, Put, Store, Update, Vault, Where

START = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)


def _latency(seconds: float) -> Latency:
    return Latency(SeededChance(seed=1, name="latency"), seconds, seconds)


def test_invocations_interleave_at_port_calls() -> None:
    """Of two invocations that read and then update one document at once, one gets a Conflict."""
    kernel, store = Kernel(start=START, seed=1), MemoryStore()
    store.commit([Create("ledger/1", {"n": 0})])
    timed = TimedStore(store, kernel, _latency(0.004))
    conflicts: list[str] = []

    def count_up() -> None:
        document = timed.get("ledger/1")
        assert document is not None
        try:
            timed.commit([Update("ledger/1", {"n": document.data["n"] + 1}, document.version)])
        except Conflict as conflict:
            conflicts.append(conflict.detail)

    kernel.spawn(count_up, name="one")
    kernel.spawn(count_up, name="other")
    kernel.run(START + timedelta(seconds=1))
    assert len(conflicts) == 1
    assert [one.data for one in store.query("ledger")] == [{"n": 1}]


@pytest.mark.parametrize(("crash_at_s", "applied"), [(1.0, False), (3.0, True)])
def test_a_crash_falls_on_either_side_of_the_effect(crash_at_s: float, applied: bool) -> None:
    """A crash in the first half of a call is before its effect, one in the second half is after it."""
    kernel, store = Kernel(start=START, seed=1), MemoryStore()
    timed, seen = TimedStore(store, kernel, _latency(4.0)), list[str]()

    def work() -> None:
        timed.commit([Put("orders/1", {})])
        seen.append("answered")

    kernel.spawn(work, name="victim")
    kernel.spawn(lambda: kernel.crash("victim"), at=START + timedelta(seconds=crash_at_s), name="nemesis")
    kernel.run(START + timedelta(seconds=10))
    assert (store.get("orders/1") is not None, seen) == (applied, [])


class _Bus:
    def publish(self, topic: str, data: bytes, *, attributes: object, ordering_key: str = "") -> str:
        return f"{topic} {data!r} {attributes} {ordering_key}"


class _Vault:
    def add(self, secret: str, value: bytes) -> str:
        return f"{secret} {value!r}"

    def read(self, secret: str, version: str) -> bytes:
        return f"{secret} {version}".encode()

    def versions(self, secret: str) -> tuple[str, ...]:
        return (secret,)

    def destroy(self, secret: str, version: str) -> None:
        raise KeyError(secret, version)


def test_every_port_call_takes_its_time_and_gives_its_answer() -> None:
    """Each call of a timed port takes one latency and passes arguments, answers and errors on."""
    kernel = Kernel(start=START, seed=1)
    store: Store = TimedStore(MemoryStore(), kernel, _latency(1.0))
    bus: Bus = TimedBus(_Bus(), kernel, _latency(1.0))
    vault: Vault = TimedVault(_Vault(), kernel, _latency(1.0))

    def work() -> None:
        assert store.get("a/1") is None
        store.commit([Put("a/1", {"n": 1}), Put("a/2", {"n": 2})])
        assert [one.path for one in store.query("a", Where("n", ">", 0), order_by="n", limit=1)] == ["a/1"]
        assert bus.publish("t", b"d", attributes={"a": "b"}, ordering_key="k") == "t b'd' {'a': 'b'} k"
        assert vault.add("s", b"v") == "s b'v'"
        assert vault.read("s", "1") == b"s 1"
        assert vault.versions("s") == ("s",)
        with pytest.raises(KeyError):
            vault.destroy("s", "1")

    kernel.call(work, name="work")
    assert kernel.now() == START + timedelta(seconds=8)
