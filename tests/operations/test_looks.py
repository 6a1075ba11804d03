"""Blind seconds: every second of a session counts, also those of a minute that nobody wrote down."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.cli.status_words import status_lines
from infra.one_machine.memory_store import MemoryStore
from infra.operations.look import overview
from infra.results.watched import watched
from infra.results.words import looked
from shared.domain.broker.tokens import issued
from shared.domain.market.sight import BLIND, LOOKED, Looks, Sight, looks, unwatched
from shared.usecases.base.desk import put
from shared.usecases.market.minutes import Minute
from shared.usecases.sign_in import token

OPENS = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WHOLE, DARK = LOOKED * 60, BLIND * 60


def sights(*minutes: tuple[str, bool] | None) -> list[Sight]:
    """Give the sights of minutes one after the other; None is one that left none."""
    return [
        Sight(begins=OPENS + number * MINUTE, symbols=2, usable=2, faults=(), unseen={}, seconds=one[0], holds=one[1])
        for number, one in enumerate(minutes)
        if one is not None
    ]


@pytest.mark.parametrize(
    ("minutes", "looked", "unseen_s"),
    [
        pytest.param([(WHOLE, True), (WHOLE, True)], 120, 1, id="every second"),
        pytest.param([(WHOLE, False), (WHOLE, False)], 120, 0, id="nothing is held"),
        pytest.param([(LOOKED * 55 + BLIND * 5, True), (BLIND * 3 + LOOKED * 57, True)], 112, 9, id="over two minutes"),
        pytest.param([(LOOKED * 55 + BLIND * 5, True), (BLIND * 3 + LOOKED * 57, False)], 112, 5, id="sold meanwhile"),
        pytest.param([(DARK, False), (WHOLE, True)], 60, 1, id="blind before anything is held"),
        pytest.param([(WHOLE, True), None], 60, 60, id="no sight of a minute after one that held"),
        pytest.param([(WHOLE, True), ("", True)], 60, 60, id="a sight without seconds"),
        pytest.param([None, (WHOLE, False)], 60, 0, id="no sight at the open"),
    ],
)
def test_each_second_counts(minutes: list[tuple[str, bool] | None], looked: int, unseen_s: int) -> None:
    """Blind is every second without a look; the gap of what is held goes from one look to the next, over minutes."""
    found = looks(sights(*minutes), OPENS, OPENS + 2 * MINUTE)
    assert (found.seconds, found.looked, found.blind, found.unseen_s) == (120, looked, 120 - looked, unseen_s)


def test_the_longest_stretches_without_a_look_are_named() -> None:
    """Three stretches stand in the order of time, over minutes too, and the shorter others are counted."""
    made = [(LOOKED * (60 - number) + BLIND * number, False) for number in (9, 1, 8, 2, 7)]
    seen = sights(*made, None, (DARK, False), (BLIND * 5 + LOOKED * 55, False), (WHOLE, False))
    stretches = unwatched(seen, OPENS, OPENS + 9 * MINUTE)
    assert [(until - since).total_seconds() for since, until in stretches] == [9, 1, 8, 2, 7 + 60 + 60 + 5]
    said = watched(seen, OPENS, OPENS + 9 * MINUTE)
    assert said.endswith("not 09:30:51 to 09:31:00, 09:32:52 to 09:33:00, 09:34:53 to 09:37:05 and in 2 shorter gaps")
    every = sights(*[(BLIND * number + LOOKED * (60 - number), False) for number in (3, 1, 5, 6, 7, 2, 4)])
    assert watched(every, OPENS, OPENS + 7 * MINUTE).endswith(
        "not 09:32:00 to 09:32:05, 09:33:00 to 09:33:06, 09:34:00 to 09:34:07 and in 4 shorter gaps"
    )


def test_what_is_not_over_does_not_count() -> None:
    """Only whole minutes count: before the first of them there is nothing, and nothing is divided by it."""
    found = looks(sights((WHOLE, True)), OPENS, OPENS + timedelta(seconds=59))
    assert found == Looks(seconds=0, looked=0, unseen_s=0)
    assert looked(found) == "0 of 0, 0 not"


def test_status_says_how_blind_it_was() -> None:
    """The owner reads the seconds watched and not, their share, and how often what was held was watched."""
    said = looked(Looks(seconds=23_400, looked=23_100, unseen_s=4))
    assert said == "23,100 of 23,400 (98.7 %), 300 not; what was held was watched at least every 4 s"


@pytest.mark.parametrize(
    ("signed_in", "watched", "said"),
    [(29, 30, True), (-5, 0, False), (29, 0, False)],
    ids=["late", "before the open", "a second time that day"],
)
def test_seconds_before_a_late_sign_in_are_told_as_such(signed_in: int, watched: int, said: bool) -> None:
    """Where nobody signed in before the open, what was not watched until then is no fault, and status says so."""
    store = MemoryStore()
    begins = OPENS + timedelta(minutes=watched)
    seen = Sight(begins=begins, symbols=1, usable=1, faults=(), unseen={}, seconds=LOOKED * 60, holds=False)
    minute = Minute(holder="one", until=begins + timedelta(minutes=2), sight=seen)
    record = issued("1", OPENS + timedelta(minutes=signed_in))
    store.commit([put(f"minutes/{begins:%Y%m%dT%H%M}", minute), put(token.PATH, record)])
    shown = dict(status_lines(overview(store, at=OPENS + timedelta(minutes=35), running=True)))["Seconds watched"]
    assert ("; not watched before the sign-in at 09:59:00 New York" in str(shown)) is said
