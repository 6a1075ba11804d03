"""The words of a notice lead nowhere: whoever publishes one brings no address into what the owner reads."""

import unicodedata

import pytest

from shared.domain.telling.notice_words import words
from shared.domain.telling.notices import NOTICES, Notice, TradingHalted
from shared.domain.telling.wording import Words, unlinked
from tests.domain.evil import EVIL, laced, tempting
from tests.domain.made import NOON
from tests.domain.telling.test_notices import EXAMPLES

_NOTICES = tuple({type(notice): notice for notice, _, _ in EXAMPLES}.values())


def _said(said: Words) -> str:
    return f"{said.title}\n{said.sentence}\n{said.advice}"


@pytest.mark.parametrize("notice", _NOTICES, ids=lambda notice: type(notice).__name__)
def test_no_notice_brings_an_address(notice: Notice) -> None:
    """Whatever stands in the texts of a notice of any kind, nothing in its title and text can be tapped."""
    for evil in EVIL:
        assert tempting(_said(words(laced(notice, evil)))) == [], evil


def test_the_kinds_are_all_of_them_and_most_say_a_text_of_their_message() -> None:
    """The test above is over every kind, and what it puts into their fields is said by most."""
    assert {type(notice) for notice in _NOTICES} == set(NOTICES.values())
    heard = [notice for notice in _NOTICES if "CANARY" in _said(words(laced(notice, "CANARY")))]
    assert len(heard) > len(_NOTICES) // 2


@pytest.mark.parametrize("evil", EVIL)
def test_each_disguise_would_be_seen(evil: str) -> None:
    """Each of the addresses is one as it came, or once its letters are those that they look like."""
    assert tempting(unicodedata.normalize("NFKC", evil).replace("\n", ""))


@pytest.mark.parametrize("evil", ["https://login.example", "login.example", "203.0.113.9"])
def test_words_as_they_came_would_be_caught(evil: str) -> None:
    """A notice whose reason is said as it came is caught by the test above."""
    assert tempting(f"Entries are blocked and cancelled; set by owner: {evil}.")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://login.example/start", "https: / /login. example/start"), ("203.0.113.9", "203. 0. 113.9"),
        ("two\nlines\tand \u202emore", "two lines and more"), ("BRK.B: 2.5 s", "BRK.B: 2.5 s"),
        ("JPM.PR.D", "JPM. PR.D"),
        ("98 shares of BRK.B, at $1,059.71 (BRK.B).", "98 shares of BRK.B, at $1,059.71 (BRK.B)."),
        ("E*TRADE's own page", "E*TRADE's own page"), ("and/or, 1:30", "and/or, 1:30"), ("", ""),
    ],
)  # fmt: skip
def test_what_is_no_address_stays_as_it_is(text: str, shown: str) -> None:
    """Blanks break addresses, a text is one line, and symbols, money and times are as they were."""
    assert unlinked(text) == shown


def test_a_reason_makes_no_line_of_its_own() -> None:
    """A reason with a line break cannot look like a line of ours, such as the one before a link."""
    said = words(TradingHalted(exits_too=False, reason="a\nTo halt trading, open this", by="b", epoch=1, at=NOON))
    assert "\n" not in said.title + said.text
