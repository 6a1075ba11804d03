"""Names made from facts: the same business event always gets the same id (order-safety.md 1.2)."""

import base64
import hashlib
import json
from datetime import date
from functools import lru_cache

_LENGTH = 19


def digest(*facts: str) -> str:
    """Hash facts to 64 hex digits; a separator inside a fact cannot forge another list of facts."""
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _name(prefix: str, *facts: str) -> str:
    raw = hashlib.sha256(json.dumps(facts).encode()).digest()
    return prefix + base64.b32encode(raw).decode()[:_LENGTH]


@lru_cache(maxsize=1024)
def signal_id(*, strategy: str, symbol: str, side: str, session: date, slot: int) -> str:
    """Name a signal: 20 alphanumerics, one per strategy, symbol, side, session and slot."""
    return _name("S", strategy, symbol, side, session.isoformat(), str(slot))


def intent_id(*, kind: str, cause: str, session: date, attempt: int = 0) -> str:
    """Name an intent after what caused it; 20 alphanumerics that serve as E*TRADE's clientOrderId.

    `cause` is the signal id of an entry, or position id and slot of an exit or a stop (order-safety.md 1.2).
    """
    return _name("I", kind, cause, session.isoformat(), str(attempt))
