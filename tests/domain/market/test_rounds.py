"""Whom a tick asks for, over random lists."""

from collections.abc import Collection, Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.market.rounds import HOT_MOST, SYMBOLS_A_CALL, wanted

NAMES = [f"S{number}" for number in range(200)]


class Rounds:
    """A scan's seconds, with as many calls each as the limit leaves: `calls` of them, the first one included."""

    def __init__(self, symbols: Sequence[str]) -> None:
        self.symbols = symbols
        self.asked: dict[str, int] = {}
        self.waited = 0

    def tick(self, second: int, *, held: Collection[str], hot: Collection[str], calls: int) -> list[str]:
        """Ask in one second, and give whom."""
        first, others = self.choose(self.symbols, held=held, hot=hot, asked=self.asked)
        least = max(1, -(-len(first) // SYMBOLS_A_CALL))
        asked = [*first, *others][: SYMBOLS_A_CALL * max(least, calls)]
        self.waited = max(second - self.asked.get(one, 0) for one in asked)
        self.asked |= dict.fromkeys(asked, second)
        return asked

    def choose(
        self, symbols: Sequence[str], *, held: Collection[str], hot: Collection[str], asked: Mapping[str, int]
    ) -> tuple[list[str], list[str]]:
        """Choose as the scan does."""
        return wanted(symbols, held=held, hot=hot, asked=asked)


class Unbounded(Rounds):
    """A mistake: everything hot is asked for in each second."""

    def choose(
        self, symbols: Sequence[str], *, held: Collection[str], hot: Collection[str], asked: Mapping[str, int]
    ) -> tuple[list[str], list[str]]:
        return wanted(symbols, held={*held, *hot}, hot=(), asked=asked)


class Headlong(Rounds):
    """A mistake: the list from its head in each second, as far as the calls go."""

    def choose(
        self, symbols: Sequence[str], *, held: Collection[str], hot: Collection[str], asked: Mapping[str, int]
    ) -> tuple[list[str], list[str]]:
        return [one for one in symbols if one in held], [one for one in symbols if one not in held]


def longest(rounds: Rounds, *, held: Collection[str], hot: Collection[str], calls: int, seconds: int = 60) -> int:
    """Play a minute and give the longest that anybody was not asked for."""
    worst = 0
    for second in range(seconds):
        rounds.tick(second, held=held, hot=hot, calls=calls)
        worst = max(worst, rounds.waited)
    return max(worst, *(seconds - rounds.asked.get(one, 0) for one in rounds.symbols))


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, SYMBOLS_A_CALL),
    marked=st.sets(st.integers(0, SYMBOLS_A_CALL)),
    asked=st.dictionaries(st.sampled_from(NAMES[:SYMBOLS_A_CALL]), st.integers(0, 59)),
)
def test_as_many_as_one_call_takes_are_all_asked_for(count: int, marked: set[int], asked: dict[str, int]) -> None:
    """Up to fifty symbols are asked for in each second, in their own order, whatever is held or hot."""
    some = {NAMES[number] for number in marked}
    assert wanted(NAMES[:count], held=some, hot=some, asked=asked) == (NAMES[:count], [])


@settings(max_examples=100, deadline=None)
@given(
    count=st.integers(SYMBOLS_A_CALL + 1, len(NAMES)),
    held=st.sets(st.integers(0, 60), max_size=60),
    hot=st.sets(st.integers(0, 199)),
    asked=st.dictionaries(st.sampled_from(NAMES), st.integers(0, 59)),
)
def test_what_is_held_and_hot_goes_first(count: int, held: set[int], hot: set[int], asked: dict[str, int]) -> None:
    """Of a long list all that is held is due, and of the hot ones so many that places are left; nobody is lost."""
    symbols = NAMES[:count]
    ours, near = {NAMES[one] for one in held} & {*symbols}, {NAMES[one] for one in hot} & {*symbols}
    due, others = wanted(symbols, held=ours, hot=near, asked=asked)
    assert sorted([*due, *others]) == sorted(symbols)
    assert set(due[: len(ours)]) == ours
    assert set(due) == ours | near or len(due) == max(HOT_MOST, len(ours))
    assert set(due) <= ours | near
    assert [asked.get(one, -1) for one in others] == sorted(asked.get(one, -1) for one in others)


def test_everybody_comes_round() -> None:
    """With ten held and forty hot, each of 118 symbols is asked for every few seconds, at one call a second, too."""
    held, hot = set(NAMES[:10]), set(NAMES[10:50])
    assert longest(Rounds(NAMES[:118]), held=held, hot=hot, calls=2) <= 2
    assert longest(Rounds(NAMES[:118]), held=held, hot=hot, calls=1) <= 8


def test_lists_that_starve_somebody_are_found() -> None:
    """All hot symbols first, or the head of the list first, leaves others unasked for as long as it lasts."""
    held, hot = set(NAMES[:10]), set(NAMES[10:50])
    assert longest(Unbounded(NAMES[:118]), held=held, hot=hot, calls=1) > 50
    assert longest(Headlong(NAMES[:118]), held=held, hot=hot, calls=2) > 50
