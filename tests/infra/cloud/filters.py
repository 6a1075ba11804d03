"""Google's filters of log entries and time series, read as far as ours go: =, : and =~, AND, OR, parentheses.

OR binds closer than AND, which may be left out. A field that an entry lacks fits nothing. Other words are a ValueError.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeVar

Entry = Mapping[str, str]
Test = Callable[[Entry], bool]
T = TypeVar("T")

_TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|(=~|=|:|\(|\))|([A-Za-z_][A-Za-z0-9_.]*))')
_FITS: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda wanted, found: wanted == found,
    ":": lambda wanted, found: wanted in found,
    "=~": lambda wanted, found: re.search(wanted, found) is not None,
}


def finds(written: str, entry: Entry) -> bool:
    """Say whether a filter finds an entry, whose fields have their whole paths; raises ValueError."""
    return _read(written)(entry)


def understood(pattern: re.Pattern[str], read: Callable[[list[str]], T], written: str) -> T:
    """Cut a text into the words that a pattern knows and read all of them; raises ValueError for anything else."""
    words, place = [], 0
    while written[place:].strip():
        word = pattern.match(written, place)
        if word is None:
            raise ValueError(f"not understood: {written[place:]}")
        words.append(word[0].strip())
        place = word.end()
    meaning = read(words)
    if words:
        raise ValueError(f"not understood: {words} at the end of {written}")
    return meaning


@cache
def _read(written: str) -> Test:
    return understood(_TOKEN, _all, written)


def _all(tokens: list[str]) -> Test:
    parts = [_any(tokens)]
    while tokens and tokens[0] != ")":
        if tokens[0] == "AND":
            tokens.pop(0)
        parts.append(_any(tokens))
    return lambda entry: all(part(entry) for part in parts)


def _any(tokens: list[str]) -> Test:
    parts = [_one(tokens)]
    while tokens[:1] == ["OR"]:
        tokens.pop(0)
        parts.append(_one(tokens))
    return lambda entry: any(part(entry) for part in parts)


def _one(tokens: list[str]) -> Test:
    first = taken(tokens)
    if first == "(":
        inner = _all(tokens)
        close(tokens)
        return inner
    fits = _FITS.get(taken(tokens))
    if fits is None or not first[0].isalpha():
        raise ValueError(f"not understood: an operator after {first}")
    values = _values(tokens)
    return lambda entry: first in entry and any(fits(value, entry[first]) for value in values)


def _values(tokens: list[str]) -> list[str]:
    if tokens[:1] != ["("]:
        return [_text(taken(tokens))]
    tokens.pop(0)
    found = [_text(taken(tokens))]
    while tokens[:1] == ["OR"]:
        tokens.pop(0)
        found.append(_text(taken(tokens)))
    close(tokens)
    return found


def _text(token: str) -> str:
    if not token.startswith('"'):
        raise ValueError(f"not understood: {token}, which is no text")
    return token[1:-1]


def close(tokens: list[str]) -> None:
    """Take the parenthesis that ends a part; raises ValueError."""
    if taken(tokens) != ")":
        raise ValueError("not understood: a parenthesis is not closed")


def taken(tokens: list[str]) -> str:
    """Take the next word; raises ValueError at the end."""
    if not tokens:
        raise ValueError("not understood: it ends too early")
    return tokens.pop(0)
