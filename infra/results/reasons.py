"""Why a symbol was not bought, in sentences: the reasons of the scan's verdicts, ours and the strategies' own.

What can go wrong: a person reads a code. What this promises: a reason of a strategy is told in the words of its file,
and one that nobody knows here says so; `strategy why` and the page of a report take their words from here.
"""

import re
from collections.abc import Mapping

from infra.results.receipts import WhyNot
from infra.results.words import plain
from infra.results.words import words as words_of
from shared.domain.market.quality import FAULTS
from shared.domain.market.receipts import apart
from shared.domain.telling.codes_said import ERRORS, UNSEEN
from shared.frozen import frozen
from shared.strategies import registry
from shared.strategies.decide import OF, RULES

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_UNIT = re.compile(r"[0-9.]+ (%|bps)(?: |$)")
_STATES: Mapping[str, str] = {
    "signal": "a signal to buy was given",
    "held": "it was held, and nothing was to be done",
    "stop": "it was held, and its stop was to move up",
    "exit": "it was held, and was to be sold",
    "exit halted": "it was held, and a halt kept it from being sold",
    "exit refused": "it was held, and waited because E*TRADE had refused its sale",
}


@frozen
class Rule:
    """One rule's answer: what it says, what it found and asked, both "" where it compares nothing, and from where."""

    code: str
    words: str
    found: str
    asked: str
    source: str

    @property
    def strategy(self) -> str:
        """The strategy that gave it, in words, "" for a rule of the scan's own."""
        name, by, _ = self.code.partition(OF)
        return plain(name) if by and self.source else ""

    @property
    def sentence(self) -> str:
        """Its words, whose they are, and what it compared."""
        said = f"{self.strategy}: {self.words}" if self.strategy else self.words
        return f"{said} Found {self.found}, needed {self.asked}." if self.asked else said


def with_unit(found: str, asked: str) -> str:
    """Give what was found in the unit of what was asked, where that is a number with one, such as 0.4 % or more."""
    unit = _UNIT.match(asked)
    return f"{found} {unit[1]}" if unit is not None and _NUMBER.fullmatch(found) else found


def rules(codes: str, found: str, asked: str, folder: str = "") -> tuple[Rule, ...]:
    """Give each answer of a verdict of the scan, whose texts are those of its receipt (`domain.receipts`).

    `folder` has the owner's own strategies, whose reasons are told in the words of their files.
    """
    return tuple(_rule(code, with_unit(one, limit), limit, folder) for code, one, limit in apart(codes, found, asked))


def of_line(line: WhyNot, folder: str = "") -> list[tuple[Rule, int]]:
    """Give the reasons that kept a symbol from being bought, each with its seconds; `folder` as for `rules`."""
    compared = ((code, *line.compared.get(code, ("", "")), seconds) for code, seconds in line.seconds)
    return [(rules(code, found, asked, folder)[0], seconds) for code, found, asked, seconds in compared]


def _rule(code: str, found: str, asked: str, folder: str) -> Rule:
    state, _, rest = code.partition(OF)
    known = RULES.get(code) or registry.reason_of(state, rest, folder)
    if known is not None:
        return Rule(code=code, words=known.words, found=found, asked=asked, source=known.source)
    unknown = (
        f"the strategy {state} said {rest}, and its file is not here"
        if rest
        else f"the symbol could not be judged: {words_of(code)}"
    )
    words = FAULTS.get(code) or UNSEEN.get(code) or ERRORS.get(code) or _STATES.get(state) or unknown
    return Rule(code=code, words=f"{words[0].upper()}{words[1:]}.", found=found, asked=asked, source="")
