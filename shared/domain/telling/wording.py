"""What every notice is made of in words: title, sentence and advice, with times of New York and counted things."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime

from shared.domain.base.calendar import NEW_YORK
from shared.frozen import frozen

ETRADE = "E*TRADE"
_SHOWN = 300
_OF_ETRADE = tuple((re.compile(found), said) for found, said in (
    (r"(?:,? and|; if (?:this was not you|somebody else may have it),) change your E\*TRADE password", ""),
    (r": if somebody else may have it, change your E\*TRADE password", ""),
    (r" In (?:the app of E\*TRADE|E\*TRADE's own app) you can cancel orders and sell\.", ""),
    (r"Your E\*TRADE password is typed at E\*TRADE only, never on this page\.", "E*TRADE has no password."),
    (r"(?:on|in) E\*TRADE's (?:own page|app)", "at E*TRADE"),
    (r"E\*TRADE's own page", "E*TRADE"),
))  # fmt: skip
"""What is said of E*TRADE's page, app and password, and what of another broker, which has none of them."""
_BEGINS = re.compile(r"(?<=[.!?] )E\*TRADE|(?<=>)E\*TRADE")
_SLASHES = re.compile(r"(?<=[:/\\])(?=[/\\])")
_DOTS = re.compile(
    r"(?<=[.\u3002])(?![A-Z](?:[\s,;:.)]|$))(?=[^\W\d_])"  # a name's last part; a share class, such as BRK.B, is none
    r"|(?<=[0-9][.\u3002])(?=[0-9]+[.\u3002][0-9])"
)


@frozen
class Words:
    """One notice in words; `urgent` notices are never held back."""

    title: str
    sentence: str
    advice: str
    urgent: bool

    @property
    def text(self) -> str:
        """The sentence and the advice."""
        return f"{self.sentence} {self.advice}"


def called(text: str, broker: str) -> str:
    """Say a text about E*TRADE of the `broker` of this name instead, which has no page, app or password of its own."""
    if broker == ETRADE:
        return text
    for found, said in _OF_ETRADE:
        text = found.sub(said, text)
    return _BEGINS.sub(capital(broker), text).replace(ETRADE, broker)


def capital(text: str) -> str:
    """Begin a sentence with a capital letter."""
    return f"{text[:1].upper()}{text[1:]}"


def clock(at: datetime) -> str:
    """Say an instant in New York's time, which is E*TRADE's."""
    return f"{at.astimezone(NEW_YORK):%H:%M} ET"


def day_and_clock(at: datetime) -> str:
    """Say an instant of any day in New York's time."""
    return f"{at.astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S} ET"


def ago(since: datetime, at: datetime) -> str:
    """Say an instant and how long ago it was."""
    return f"{clock(since)}, {count(int((at - since).total_seconds() // 60), 'minute')} ago"


def count(number: int, what: str) -> str:
    """Say a number of things."""
    return f"{number:,} {what}" + "s" * (number != 1)


def few(things: Sequence[object], most: int) -> str:
    """Name the first so many things, and count the others."""
    more = len(things) - most
    return ", ".join(map(str, things[:most])) + (f" and {more} more" if more > 0 else "")


def short(reason: str) -> str:
    """Give a reason fit for the middle of a sentence."""
    return reason.rstrip(".")[:_SHOWN]


def unlinked(text: str) -> str:
    """Give a text in one line in which no program sees an address: a blank is put where one would hold together.

    That is between slashes, before the last part of a name with dots, and in a number with more than one dot. Letters
    that only look like others become those, and what shows nothing a blank.
    """
    shown = unicodedata.normalize("NFKC", text)
    line = " ".join("".join(one if one.isprintable() else " " for one in shown).split())
    return _DOTS.sub(" ", _SLASHES.sub(" ", line))
