"""What our parsers make of a capture that `strategy probe` wrote."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from shared.errors import Unreadable
from shared.etrade import parse_accounts, parse_orders, parse_quotes

_AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def problems_of(case: dict[str, Any]) -> list[str]:
    """Read every good answer of a case with the parser of its endpoint, and name what is missing, odd or unreadable."""
    found: list[str] = []
    for number, answer in enumerate(case["answers"]):
        if answer["status"] != 200 or answer.get("body") is None:
            continue
        try:
            odd = _READ[answer["endpoint"]](json.dumps(answer["body"]).encode(), tuple(case["symbols"]))
        except Unreadable as problem:
            odd = [problem.detail]
        found += [f"answer {number}, {answer['endpoint']}: {one}" for one in odd]
    return found


def _accounts(raw: bytes, _: tuple[str, ...]) -> list[str]:
    return [name for row in parse_accounts.accounts(raw) for name in row.odd]


def _balance(raw: bytes, _: tuple[str, ...]) -> list[str]:
    lacks = parse_accounts.balance(raw, at=_AT).lacks
    return [] if lacks is None else [lacks]


def _portfolio(raw: bytes, _: tuple[str, ...]) -> list[str]:
    return [name for row in parse_accounts.portfolio(raw).positions for name in row.holding.odd]


def _orders(raw: bytes, _: tuple[str, ...]) -> list[str]:
    return [name for row in parse_orders.orders(raw).orders for name in row.odd]


def _quotes(raw: bytes, symbols: tuple[str, ...]) -> list[str]:
    parse_quotes.quotes(raw, symbols=symbols, received_at=_AT)
    return []


def _preview(raw: bytes, _: tuple[str, ...]) -> list[str]:
    parse_orders.preview(raw, ticket=None, at=_AT)
    return []


_READ: dict[str, Callable[[bytes, tuple[str, ...]], list[str]]] = {
    "accounts": _accounts, "balance": _balance, "portfolio": _portfolio, "orders": _orders, "quotes": _quotes,
    "preview": _preview,
}  # fmt: skip
