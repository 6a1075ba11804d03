"""What a fact about E*TRADE is: our assumption, where it is from, what was seen, and what changes if it is wrong.

What can go wrong: what nobody saw is taken for known; a fact repeats what belongs to the owner alone. What this
promises: a fact is `known` only where an answer showed it, what could not be seen says so and why, and the words of an
answer stand in a fact only where they have the form of E*TRADE's own words.
"""

import re
from enum import StrEnum

from shared.frozen import frozen

_WORD = re.compile(r"(?!.*[0-9]{3})[A-Z][A-Z0-9_ ]{1,39}")


class Verdict(StrEnum):
    """What an answer says of an assumption."""

    KNOWN = "known"
    CONTRADICTS = "contradicts our assumption"
    NOT_SEEN = "not seen"


@frozen
class Fact:
    """One thing about E*TRADE; `source` names the section of the fact sheet or the file that rests on it.

    `then` says what changes where the assumption is wrong.
    """

    name: str
    assumption: str
    source: str
    seen: str
    verdict: Verdict
    then: str


@frozen
class Assumed:
    """An assumption before it was looked at."""

    name: str
    assumption: str
    source: str
    then: str

    def known(self, seen: str) -> Fact:
        """Give the fact that it holds."""
        return self._fact(Verdict.KNOWN, seen)

    def contradicted(self, seen: str) -> Fact:
        """Give the fact that it does not hold."""
        return self._fact(Verdict.CONTRADICTS, seen)

    def unseen(self, why: str) -> Fact:
        """Give the fact that nobody saw it, and why."""
        return self._fact(Verdict.NOT_SEEN, why)

    def judged(self, holds: bool, seen: str) -> Fact:
        """Give what was seen, as something that holds or does not."""
        return self.known(seen) if holds else self.contradicted(seen)

    def _fact(self, verdict: Verdict, seen: str) -> Fact:
        return Fact(
            name=self.name, assumption=self.assumption, source=self.source, seen=seen, verdict=verdict, then=self.then
        )


def word(text: str) -> str:
    """Give a word of E*TRADE's, such as PDT_MIN_EQUITY_RES_1XK; of anything else only how long it is."""
    return text if _WORD.fullmatch(text) else f"(a text of {len(text)} characters)" if text else "(nothing)"


def words(texts: set[str] | frozenset[str]) -> str:
    """Give words in a sentence, each once."""
    return ", ".join(sorted(word(text) for text in texts)) or "(nothing)"
