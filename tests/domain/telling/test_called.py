"""What the owner reads of a broker that is not E*TRADE."""

import re

import pytest

from shared.domain.telling.notice_words import words
from shared.domain.telling.notices import Notice
from shared.domain.telling.wording import ETRADE, called
from tests.domain.telling.test_notices import EXAMPLES


def test_a_text_names_the_broker_that_it_is_about() -> None:
    """A name begins a sentence with a capital letter, and what is E*TRADE's alone is left out."""
    text = "E*TRADE is down: E*TRADE says so. E*TRADE's app shows it; look on E*TRADE's own page."
    assert called(text, ETRADE) == text
    assert called(text, "the simulator") == (
        "the simulator is down: the simulator says so. The simulator's app shows it; look at the simulator."
    )


@pytest.mark.parametrize(("notice", "title", "text"), EXAMPLES, ids=lambda value: type(value).__name__)
def test_another_broker_is_called_by_its_name(notice: Notice, title: str, text: str) -> None:
    """Of a simulated broker nothing is said that is E*TRADE's, and nobody is sent to its page, app or password."""
    said = words(notice, "the simulator")
    for part in (said.title, said.sentence, said.advice):
        assert not re.search(r"E\*TRADE|own page|'s app|password", part)
        assert part == "" or not part.startswith("the ")
    assert ("E*TRADE" in title + text) == ("he simulator" in said.title + said.text) or "password" in text
