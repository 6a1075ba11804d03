"""What the owner does to a desk: each order counts one epoch, is told of, and needs no part of the desk to be up."""

from pathlib import Path

import pytest

from infra.local.sqlite_store import SqliteStore
from shared.codec import loads
from shared.ports import Where
from tests.owner.desks import answer, refused, strategy


def _promised(desk: Path) -> list[tuple[str, int, str]]:
    """Give kind, epoch and reason of the notices that wait for a function to publish them."""
    store = SqliteStore(desk / "state.db")
    try:
        rows = store.query("outbox", Where("topic", "==", "notices"))
        plain = [loads(row.data["body"].encode()) for row in rows if row.path.startswith("outbox/owner:")]
    finally:
        store.close()
    told = ((one["kind"], one["body"]["epoch"], one["body"]["reason"]) for one in plain)
    return sorted(told, key=lambda one: one[1])


def test_halt_reduce_and_resume_are_counted_and_told(desk: Path) -> None:
    """Each command writes its state with the next epoch and its reason, and promises its notice with it."""
    before = answer("status", "--state", str(desk))["control"]["epoch"]
    given = [
        answer("halt", "--reason", "a look", "--state", str(desk)),
        answer("halt", "--exits-too", "--reason", "stand still", "--state", str(desk)),
        answer("reduce", "--reason", "less", "--state", str(desk)),
        answer("resume", "--reason", "all is well", "--state", str(desk)),
    ]
    assert [(one["state"], one["exits_too"]) for one in given] == [
        ("HALTED", False), ("HALTED", True), ("REDUCE_ONLY", False), ("ACTIVE", False)
    ]  # fmt: skip
    assert [one["epoch"] - before for one in given] == [1, 2, 3, 4]
    assert {one["by"] for one in given} == {"owner"}
    assert answer("status", "--state", str(desk))["control"] == given[-1]
    assert _promised(desk) == [
        ("trading_halted", before + 1, "a look"), ("trading_halted", before + 2, "stand still"),
        ("trading_reduced", before + 3, "less"), ("trading_resumed", before + 4, "all is well"),
    ]  # fmt: skip


def test_a_halt_is_said_in_a_sentence(desk: Path) -> None:
    """A person reads the state, since when, by whom and why."""
    shown = strategy("halt", "--exits-too", "--reason", "enough", "--state", str(desk)).stdout
    assert shown.startswith("The trading state is HALTED, exits too since ")
    assert shown.endswith("by owner: enough.\n")


@pytest.mark.parametrize("words", [("resume", "--reason", " "), ("halt", "--reason", "")])
def test_a_state_without_a_reason_is_refused(desk: Path, words: tuple[str, ...]) -> None:
    """An empty reason changes nothing."""
    before = answer("status", "--state", str(desk))["control"]
    refused(strategy(*words, "--state", str(desk)), "a reason is needed")
    assert answer("status", "--state", str(desk))["control"] == before
