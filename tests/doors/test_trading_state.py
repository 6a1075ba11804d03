"""What the owner said is never looser in force than they said it, whatever functions write beside it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.control.control import Control, TradingState, in_force
from shared.domain.telling.messages import HaltAsked
from shared.errors import Conflict, StoreDown
from shared.ports import Check, Put, Write
from shared.topology import TOPOLOGY
from shared.usecases.base.desk import Desk, put, read
from shared.usecases.control import control
from tests.doors.fakes import NOW, Hands

STATES = st.sampled_from(TradingState)


def _controls(**fixed: st.SearchStrategy[int]) -> st.SearchStrategy[Control]:
    return st.builds(
        Control, state=STATES, exits_too=st.booleans(), epoch=st.integers(0, 6), lifts=fixed.get("lifts", st.just(0)),
        reason=st.sampled_from(["a", "b"]), by=st.sampled_from(["owner", "order_settlement"]),
        at=st.integers(0, 3).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    )  # fmt: skip


WORDS, RESTRICTIONS = _controls(lifts=st.integers(0, 6)), _controls()


def _is_never_looser(combine: Callable[[Control, Control], Control], word: Control, restriction: Control) -> bool:
    found = combine(word, restriction)
    unseen = restriction.state if restriction.epoch > word.lifts else TradingState.ACTIVE
    exits = word.exits_too and word.state is TradingState.HALTED
    return found.state.severity == max(word.state.severity, unseen.severity) and found.exits_too == exits


@given(WORDS, RESTRICTIONS)
@settings(max_examples=500)
def test_the_stricter_is_in_force(word: Control, restriction: Control) -> None:
    """The stricter of word and restriction holds, unless a resume knew of it; the owner alone stops exits."""
    assert _is_never_looser(in_force, word, restriction)


def test_the_newest_document_alone_would_be_caught() -> None:
    """If what was written last held, as it was with one document, a restriction could lift a halt: seen at once."""
    word = Control(state=TradingState.HALTED, exits_too=False, epoch=1, reason="a", by="owner", at=NOW)
    later = replace(word, state=TradingState.ACTIVE, at=NOW + timedelta(minutes=1), epoch=5)
    assert not _is_never_looser(lambda one, other: max(one, other, key=lambda each: each.at), word, later)
    assert _is_never_looser(in_force, word, later)


def _believed(desk: Desk) -> TradingState:
    """Seeded mistake: the trading state is the one document that functions write, as it once was."""
    held = read(desk.store, Control, control.PATH)
    return TradingState.ACTIVE if held is None else held.value.state


def _forged(state: TradingState) -> Desk:
    """Halt by the owner's hand, then write another state with the owner's name on it, as a function could."""
    hands = Hands()
    control.command(hands.desk("owner"), TradingState.HALTED, reason="enough")
    forged = Control(state=state, exits_too=False, epoch=99, reason="forged", by="owner", at=NOW)
    hands.store.commit([put(control.PATH, forged)])
    return hands.desk()


@pytest.mark.parametrize("state", TradingState)
def test_no_function_lifts_what_the_owner_said(state: TradingState) -> None:
    """Whatever stands in the restrictions, a halt of the owner's stays, and no function has the right to write it."""
    assert control.current(_forged(state)).value.state is TradingState.HALTED
    for function in TOPOLOGY.functions:
        assert function.collections.get("control") in (None, TOPOLOGY.function("market_scan").collections["control"])


def test_one_document_for_all_would_be_caught() -> None:
    """Who reads only what functions write takes a forged resume for the owner's, which the test above would show."""
    assert _believed(_forged(TradingState.ACTIVE)) is TradingState.ACTIVE


def test_a_resume_lifts_what_its_owner_knew_of() -> None:
    """What a function restricted is over after a resume, and what it restricts then is in force again."""
    hands = Hands()
    settlement, owner = hands.desk("order_settlement"), hands.desk("owner")
    for reason in ("first", "second"):
        assert control.tighten(settlement, TradingState.HALTED, reason=reason)
        assert control.current(settlement).value.reason == reason
        control.command(owner, TradingState.ACTIVE, loosen=True, reason="looked at")
        assert control.current(settlement).value.state is TradingState.ACTIVE


class Meanwhile(Hands):
    """Hands whose next commit on a document finds that something else happened just before it."""

    def before(self, path: str, act: Callable[[], object]) -> None:
        """Do something once, just before the next commit that writes a document."""
        commit = self.store.commit

        def once(writes: Sequence[Write]) -> tuple[str, ...]:
            if any(write.path == path for write in writes):
                self.store.commit = commit  # type: ignore[method-assign]
                act()
            return commit(writes)

        self.store.commit = once  # type: ignore[method-assign]


def test_a_resume_never_lifts_what_it_did_not_know_of() -> None:
    """What a function restricts between the look and the write of a resume stays in force."""
    hands = Meanwhile()
    owner, settlement = hands.desk("owner"), hands.desk("order_settlement")
    control.command(owner, TradingState.HALTED, reason="enough")
    hands.before(control.WORD, lambda: control.tighten(settlement, TradingState.HALTED, reason="the book is wrong"))
    with pytest.raises(Conflict, match="meanwhile"):
        control.command(owner, TradingState.ACTIVE, loosen=True, reason="looked at")
    found = control.current(settlement).value
    assert (found.state, "the book is wrong" in f"{found.reason} {found.later}") == (TradingState.HALTED, True)


def test_no_licence_rests_on_the_state_before_a_halt() -> None:
    """A commit that checks what it read before a halt is refused once the halt has returned."""
    hands = Hands()
    placement = hands.desk()
    before = control.current(placement)
    control.command(hands.desk("owner"), TradingState.HALTED, reason="enough")
    with pytest.raises(Conflict):
        hands.store.commit([Check(before.path, before.version), Put("orders/one", {})])
    assert control.current(placement).value.state is TradingState.HALTED


@pytest.mark.parametrize("at", [control.PATH, "outbox"])
def test_a_halt_whose_second_half_fails_is_in_force_and_said_to_be_open(at: str) -> None:
    """When the database of the book is down the owner's word is written all the same, and the command says so."""
    hands = Hands()
    placement, owner = hands.desk(), hands.desk("owner")
    control.current(placement)
    commit = hands.store.commit

    def half(writes: Sequence[Write]) -> tuple[str, ...]:
        if any(write.path.startswith(at) for write in writes):
            raise StoreDown("gone")
        return commit(writes)

    hands.store.commit = half  # type: ignore[method-assign]
    with pytest.raises(StoreDown):
        control.command(owner, TradingState.HALTED, reason="enough")
    hands.store.commit = commit  # type: ignore[method-assign]
    assert control.current(placement).value.state is TradingState.HALTED
    control.command(owner, TradingState.HALTED, reason="once more")
    told = [row.path for row in hands.store.query("outbox") if "trading_halted" in row.path]
    assert told


def test_a_reduce_does_not_overwrite_a_halt_that_came_between_its_halves() -> None:
    """What a function halts between the owner's word and its copy stays in force under the less strict command."""
    hands = Meanwhile()
    owner, settlement = hands.desk("owner"), hands.desk("order_settlement")
    control.current(settlement)
    hands.before(control.PATH, lambda: control.tighten(settlement, TradingState.HALTED, reason="the drawdown"))
    control.command(owner, TradingState.REDUCE_ONLY, reason="less")
    assert control.current(settlement).value.state is TradingState.HALTED


def test_a_tap_outlives_a_resume_that_did_not_know_of_it() -> None:
    """A halt by link over a halt that the owner resumes in the same moment stays in force."""
    hands = Meanwhile()
    owner, settlement = hands.desk("owner"), hands.desk("order_settlement")
    control.tighten(settlement, TradingState.HALTED, reason="the drawdown")
    hands.before(control.PATH, lambda: control.command(owner, TradingState.ACTIVE, loosen=True, reason="looked at"))
    control.halt_by_link(settlement, HaltAsked(link="ab", at=NOW))
    assert control.current(settlement).value.state is TradingState.HALTED
