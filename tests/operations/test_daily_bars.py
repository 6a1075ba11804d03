"""What the owner reads of the daily bars: how many symbols may be bought, and what the others still need."""

from datetime import UTC, datetime

import pytest

from infra.cli.status_words import status_lines
from infra.one_machine.memory_store import MemoryStore
from infra.operations.look import overview
from shared.ports import Put
from shared.usecases.base.desk import put
from shared.usecases.market.warmth import Prepared

MORNING = datetime(2013, 10, 7, 11, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ({}, "none were gathered yet; a symbol needs 20"),
        ({"AIG": 20, "IBM": 250}, "enough of all 2 symbols, for 2013-10-07"),
        ({"AIG": 19, "IBM": 250, "X": 0}, "enough of 1 of 3 symbols, for 2013-10-07"),
    ],
)
def test_status_says_how_many_sessions_of_our_own_are_needed(days: dict[str, int], said: str) -> None:
    """Of each symbol with too few daily bars it says how many sessions are missing, the one next to ready first."""
    store = MemoryStore()
    if days:
        gathered = Prepared(session=MORNING.date(), at=MORNING, days=days, kept=MORNING.date())
        store.commit([put("prepared/history", gathered)])
    seen = overview(store, at=MORNING, running=True)
    shown = str(dict(status_lines(seen))["Daily bars"])
    assert shown.startswith(said)
    assert ("need more" in shown) is (0 in days.values())
    if "X" in days:
        assert shown.endswith(": AIG 1, X 20")
    assert seen.unreadable == ()


def test_status_says_which_source_is_not_asked_and_which_key_is_refused() -> None:
    """A source that is left out has its reason and its remedy, and a key that is refused stands out."""
    store = MemoryStore()
    gathered = Prepared(
        session=MORNING.date(), at=MORNING, days={"IBM": 250}, kept=MORNING.date(),
        skipped={"yahoo": "its library is not installed"}, refused={"alpaca": "1"},
    )  # fmt: skip
    store.commit([put("prepared/history", gathered)])
    shown = dict(status_lines(overview(store, at=MORNING, running=True)))
    assert shown["Not asked"] == "yahoo: its library is not installed"
    assert "alpaca does not take its key" in str(shown["KEY REFUSED"])
    assert "strategy secrets set alpaca-key" in str(shown["KEY REFUSED"])


def test_a_damaged_document_of_history_hides_nothing_else() -> None:
    """Status names it and shows the rest."""
    store = MemoryStore()
    store.commit([Put("prepared/history", {"session": "?"})])
    seen = overview(store, at=MORNING, running=True)
    assert (seen.history, seen.unreadable) == (None, ("prepared/history",))
