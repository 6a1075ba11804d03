"""The Prometheus query language, read as far as the query of silence goes.

    sum(increase(metric{label="value",...}[30m])), vector(number), hour(), day_of_week(),
    < > <= >= with a number, `and`, `and on()`, `or`, parentheses

Everything of these is one value without labels, or nothing: a comparison keeps its value or gives nothing, `or` gives
the right side where the left is nothing, and `and` the left side where the right is something. Comparisons bind
closest, then `and`, then `or`. Anything else is a ValueError.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache

from tests.infra.cloud.filters import close, taken, understood

Requests = Sequence[tuple[datetime, float, Mapping[str, str]]]
Value = float | None
Query = Callable[[Requests, datetime], Value]

_TOKEN = re.compile(
    r"\s*(sum\(increase\([^()]*\)\)|vector\([0-9.]+\)|hour\(\)|day_of_week\(\)|and on\(\)|and|or|[<>]=?|[()]|[0-9.]+)"
)
_INCREASE = re.compile(r"sum\(increase\(([a-zA-Z_:]+)\{(.*)\}\[([0-9]+)m\]\)\)")
_COMPARES: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip


def evaluate(query: str, requests: Requests, at: datetime) -> Value:
    """Give what a query gives at an instant, None for nothing; `requests` are increments of counters."""
    return _read(query)(requests, at)


@cache
def _read(query: str) -> Query:
    return understood(_TOKEN, _or, query)


def _or(tokens: list[str]) -> Query:
    left = _and(tokens)
    if tokens[:1] != ["or"]:
        return left
    tokens.pop(0)
    right = _or(tokens)
    return lambda given, at: right(given, at) if (found := left(given, at)) is None else found


def _and(tokens: list[str]) -> Query:
    parts = [_compared(tokens)]
    while tokens[:1] in (["and"], ["and on()"]):
        tokens.pop(0)
        parts.append(_compared(tokens))
    first = parts[0]
    return lambda given, at: None if any(part(given, at) is None for part in parts) else first(given, at)


def _compared(tokens: list[str]) -> Query:
    left = _one(tokens)
    if not tokens or tokens[0] not in _COMPARES:
        return left
    compares, limit = _COMPARES[taken(tokens)], float(taken(tokens))
    return lambda given, at: found if (found := left(given, at)) is not None and compares(found, limit) else None


def _one(tokens: list[str]) -> Query:
    token = taken(tokens)
    if token == "(":
        inner = _or(tokens)
        close(tokens)
        return inner
    if token == "hour()":
        return lambda _, at: float(at.hour)
    if token == "day_of_week()":
        return lambda _, at: float(at.isoweekday() % 7)
    if token.startswith("vector("):
        constant = float(token.removeprefix("vector(").removesuffix(")"))
        return lambda _, __: constant
    return _increase(token)


def _increase(token: str) -> Query:
    found = _INCREASE.fullmatch(token)
    if found is None:
        raise ValueError(f"not understood: {token}")
    asked = {"__name__": found[1], **dict(re.findall(r'([a-z_]+)="([^"]*)"', found[2]))}
    window = timedelta(minutes=int(found[3]))

    def increase(given: Requests, at: datetime) -> Value:
        fitting = [(when, value) for when, value, labels in given if asked.items() <= labels.items()]
        within = [value for when, value in fitting if at - window < when <= at]
        return sum(within) if within else None

    return increase
