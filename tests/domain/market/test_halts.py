"""Signs of a trading halt: what makes one, how long it lasts, and that a restart forgets nothing."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.market.halts import FROZEN, HALTED, ONE_SIDED, PAUSE, UNTRADED, HaltWatch, Sign
from shared.domain.market.quality import Sound, faults
from shared.domain.market.quotes import QuoteStatus
from tests.domain.made import DEFAULT, OPENS, quote

SECOND = timedelta(seconds=1)
RULES = DEFAULT.quotes
NONE: tuple[str, ...] = ()


def moving(number: int, **changes: Any) -> Sound:
    """Give a quote whose volume tells it from any other of another number."""
    return replace(quote(volume=1_000_000 + number), **changes)


def codes(signs: Iterable[Sign]) -> tuple[str, ...]:
    return tuple(sign.code for sign in signs)


def look(watch: HaltWatch, seen: Sound, second: float) -> tuple[str, ...]:
    return codes(watch.observe(seen, OPENS + second * SECOND, RULES))


def lively(seconds: int = 61, every: int = 1) -> HaltWatch:
    """Give a symbol that moved each second, or at each of these, up to and without this one."""
    watch = HaltWatch(OPENS)
    for second in range(0, seconds, every):
        assert look(watch, moving(second), second) == NONE
    return watch


@pytest.mark.parametrize(("seconds", "frozen"), [(79, False), (80, True), (81, True)])
def test_a_lively_book_that_stands_still_is_frozen(seconds: int, frozen: bool) -> None:
    """Twenty seconds without a change after a minute of changes is a sign, a second less is none."""
    watch = lively()
    for second in range(61, seconds):
        look(watch, moving(60), second)
    assert look(watch, moving(60), seconds) == ((FROZEN,) if frozen else NONE)


def test_a_move_of_any_figure_is_one() -> None:
    """A book of which bid, ask, last price or volume changes does not stand still."""
    for change in ({"bid": Decimal("99.98")}, {"ask": Decimal("100.02")}, {"last": Decimal(101)}, {"day_volume": 7}):
        watch = lively()
        look(watch, replace(moving(60), **change), 79)
        assert look(watch, replace(moving(60), **change), 80) == NONE


@pytest.mark.parametrize(("every", "frozen"), [(4, True), (5, True), (6, False), (7, False)])
def test_a_quiet_book_is_never_frozen(every: int, frozen: bool) -> None:
    """Who was seen to stand still for five seconds is quiet: looked at each second, that is a change each sixth."""
    watch, last = HaltWatch(OPENS), 0
    for second in range(70):
        last = second // every
        look(watch, moving(last), second)
    stands_from = last * every
    assert (look(watch, moving(last), stands_from + 40) == (FROZEN,)) is frozen


def test_a_minute_of_changes_is_asked() -> None:
    """A book that moved for less than a minute before it stood still may be one that is quiet by nature."""
    watch = lively(60)
    assert look(watch, moving(59), 100) == NONE


def test_looking_seldom_makes_nothing_quiet() -> None:
    """A symbol that is asked for each ten seconds and moved each time moved, as far as anybody knows."""
    watch = lively(71, every=10)
    assert look(watch, moving(70), 80) == NONE
    assert look(watch, moving(70), 90) == (FROZEN,)


def test_after_a_gap_in_our_looks_a_book_has_to_show_anew_that_it_is_lively() -> None:
    """What moved while nobody looked for twenty seconds is not known to have moved all the time."""
    watch = lively()
    assert look(watch, moving(61), 80) == NONE
    assert look(watch, moving(61), 110) == NONE


@pytest.mark.parametrize(
    "broken",
    [{"bid": Decimal(0)}, {"ask": Decimal(0)}, {"bid_size": 0}, {"ask_size": 0}, {"bid": Decimal(0), "bid_size": 0}],
)
def test_a_book_with_one_side_is_a_sign(broken: dict[str, Any]) -> None:
    """A side without a price or without shares is a sign at once, in any symbol."""
    watch = HaltWatch(OPENS)
    assert look(watch, replace(quote(), **broken), 1) == (ONE_SIDED,)


def test_the_broker_s_word_is_a_sign() -> None:
    """A quote that the broker's message calls halted is a sign at once."""
    assert look(HaltWatch(OPENS), replace(quote(), halted=True), 1) == (HALTED,)


@pytest.mark.parametrize(("age", "sign"), [(300, False), (300.001, True)])
def test_a_last_trade_of_long_ago_is_a_sign(age: float, sign: bool) -> None:
    """A last trade more than five minutes ago is a sign; the night before the open does not count."""
    late = OPENS + 3600 * SECOND
    watch = HaltWatch(OPENS)
    assert (codes(watch.observe(moving(1, traded_at=late - age * SECOND), late, RULES)) == (UNTRADED,)) is sign
    assert look(HaltWatch(OPENS), moving(1, traded_at=OPENS - timedelta(days=3)), 300) == NONE
    assert look(HaltWatch(OPENS), moving(1, traded_at=None), 20_000) == NONE


@pytest.mark.parametrize(
    "unbelieved",
    [
        moving(1, status=QuoteStatus.DELAYED, bid_size=0), moving(1, source="yahoo", halted=True),
        moving(1, bid=Decimal("NaN")), moving(1, status=QuoteStatus.CLOSING, ask=Decimal(0)),
    ],
)  # fmt: skip
def test_what_is_not_the_broker_s_own_shows_nothing(unbelieved: Sound) -> None:
    """Delayed quotes, other sources and prices that are none neither begin a halt nor end one."""
    watch = HaltWatch(OPENS)
    before = watch.to_plain()
    assert look(watch, unbelieved, 5) == NONE
    assert watch.to_plain() == before
    look(watch, moving(0, halted=True), 6)
    before = watch.to_plain()
    assert look(watch, unbelieved, 7) == (PAUSE,)
    assert watch.to_plain() == before


def test_nothing_is_bought_for_five_minutes_after_the_first_move() -> None:
    """The pause runs from the first change that followed, not from the sign's end; later changes do not prolong it."""
    watch = HaltWatch(OPENS)
    assert look(watch, moving(0, halted=True), 10) == (HALTED,)
    assert look(watch, moving(0), 20) == (PAUSE,)
    assert look(watch, moving(0), 2_000) == (PAUSE,)
    assert look(watch, moving(1), 2_001) == (PAUSE,)
    assert look(watch, moving(2), 2_001 + 299) == (PAUSE,)
    assert look(watch, moving(3), 2_001 + 300) == NONE
    assert watch.since is None


def test_a_sign_within_the_pause_is_the_same_halt() -> None:
    """A book that flickers is one halt, told once, and the pause begins anew."""
    watch = HaltWatch(OPENS)
    look(watch, moving(0, halted=True), 10)
    watch.told = True
    look(watch, moving(1), 20)
    assert look(watch, moving(1, bid_size=0), 100) == (ONE_SIDED,)
    assert (watch.since, watch.told) == (OPENS + 10 * SECOND, True)
    assert look(watch, moving(2), 101) == (PAUSE,)
    assert look(watch, moving(3), 400) == (PAUSE,)
    assert look(watch, moving(4), 401) == NONE
    assert look(watch, moving(4, halted=True), 500) == (HALTED,)
    assert (watch.since, watch.told) == (OPENS + 500 * SECOND, False)


def test_a_tick_from_the_past_shows_nothing() -> None:
    """A tick before the last one makes nothing stand still, and ends no halt."""
    watch = lively()
    assert look(watch, moving(60), 80) == (FROZEN,)
    assert look(watch, moving(99), 40) == (PAUSE,)
    assert look(watch, moving(60), 81) == (FROZEN,)


@pytest.mark.parametrize("shown", [{"halted": True}, {"bid_size": 0}, {"ask": Decimal(0)}])
def test_an_answer_that_fails_takes_no_halt_back(shown: dict[str, Any]) -> None:
    """What the broker showed last holds without a further answer for half a minute; one without it ends it at once."""
    watch = lively()
    look(watch, moving(60, **shown), 61)
    watch = HaltWatch.from_plain(watch.to_plain(), OPENS)
    assert [watch.shows(OPENS + second * SECOND, RULES) for second in (61, 90, 91)] == [True, True, False]
    look(watch, moving(61, status=QuoteStatus.DELAYED), 62)
    assert watch.shows(OPENS + 62 * SECOND, RULES)
    look(watch, moving(61), 63)
    assert not watch.shows(OPENS + 63 * SECOND, RULES)


LOOKS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 3), st.booleans(), st.booleans()), min_size=1, max_size=60
)


@given(looks=LOOKS, cut=st.integers(0, 59))
def test_a_restored_watch_goes_on_as_if_it_had_never_died(looks: list[Any], cut: int) -> None:
    """After a restart at any look the signs are those that the watch without it gives."""
    watch, now = lively(), OPENS + 61 * SECOND
    again = HaltWatch.from_plain(watch.to_plain(), OPENS)
    for number, (wait, volume, halted, sided) in enumerate(looks):
        if number == cut:
            again = HaltWatch.from_plain(again.to_plain(), OPENS)
        now += wait * SECOND
        seen = moving(volume, halted=halted and volume == 3, bid_size=100 if sided or volume else 0)
        assert again.observe(seen, now, RULES) == watch.observe(seen, now, RULES)
        assert again.shows(now, RULES) is watch.shows(now, RULES)
    assert again.to_plain() == watch.to_plain()


BOOKS = st.tuples(
    st.integers(0, 40), st.integers(0, 3), st.sampled_from([0, 100]), st.sampled_from(["0", "100"]), st.booleans(),
    st.sampled_from([QuoteStatus.REALTIME, QuoteStatus.DELAYED]), st.sampled_from([None, 0, 400]),
)  # fmt: skip


@given(st.lists(BOOKS, max_size=60))
def test_what_is_known_of_a_quote_changes_no_sign(looks: list[tuple[Any, ...]]) -> None:
    """Whoever says of each quote without a fault that it has none finds what whoever says nothing finds."""
    told, silent, now = HaltWatch(OPENS), HaltWatch(OPENS), OPENS
    for wait, volume, size, bid, halted, status, traded in looks:
        now += wait * SECOND
        traded_at = None if traded is None else now - traded * SECOND
        seen = moving(
            volume, bid_size=size, bid=Decimal(bid), halted=halted, status=status, traded_at=traded_at, at=now,
            received_at=now,
        )  # fmt: skip
        good = not faults(seen, now=now, max_age_s=5)
        assert told.observe(seen, now, RULES, faultless=good) == silent.observe(seen, now, RULES)
    assert told.to_plain() == silent.to_plain()


def test_what_is_wrongly_called_faultless_would_be_found() -> None:
    """A book with one side that is said to be without a fault shows no sign: the comparison above would see it."""
    seen = moving(1, bid_size=0)
    signs = (codes(HaltWatch(OPENS).observe(seen, OPENS, RULES, faultless=said)) for said in (False, True))
    assert list(signs) == [(ONE_SIDED,), NONE]


@pytest.mark.parametrize("text", ["", "x", "1 2 3", "1 2 3 - - - 0 1.0", "- 0 0 - - - 0", "0 0 0 - - - 0 1 2 3 x"])
def test_what_was_not_written_is_not_restored(text: str) -> None:
    """Another text than that of a state is refused."""
    with pytest.raises((ValueError, ArithmeticError)):
        HaltWatch.from_plain(text, OPENS)


def test_a_state_is_small() -> None:
    """What is kept of a symbol is less than a hundred letters, so that two hundred fit into the day's documents."""
    watch = lively(3_000)
    watch.observe(moving(9, halted=True), OPENS + 3_001 * SECOND, RULES)
    assert len(watch.to_plain()) < 100
