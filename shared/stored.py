"""What is stored, and where: the trust domains, each a database of its own, and the collections that lie in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Domain(StrEnum):
    """A trust domain, the end of its database's name; nobody but the owner's commands writes in OWNER."""

    OWNER = "owner"
    SIGN_IN = "sign-in"
    NOTICES = "notices"
    MARKET = "market"
    BOOK = "book"


def database(prefix: str, domain: Domain) -> str:
    """Name the database of a domain; those of one stack begin alike."""
    return f"{prefix}-{domain}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """Documents of one kind. Where `domain` is None each lies in the home of the function that its id begins with."""

    purpose: str
    domain: Domain | None


def _in(domain: Domain | None, purposes: Mapping[str, str]) -> dict[str, Collection]:
    return {name: Collection(purpose=purpose, domain=domain) for name, purpose in purposes.items()}


COLLECTIONS = {
    **_in(
        Domain.OWNER,
        {
            "control": "the owner's last halt, reduce or resume",
            "pins": "the account that the owner chose by command",
            "configs": "the configuration that the owner wants, and each version of it",
            "imports": "daily bars that the owner imported from a file",
        },
    ),
    **_in(
        Domain.BOOK,
        {
            "restrictions": "halts and reduces by functions, and copies of the owner's; each licence checks them",
            "orders": "every intent, from its first commit to its end",
            "audit": "the chained events of every order; created, never changed",
            "ledger": "what a session has used of its limits",
            "locks": "one live entry per symbol",
            "positions": "what we hold, what protects it",
            "broker_orders": "which intent owns a broker order",
            "fills": "shares that were bought or sold",
            "asks": "what the owner asks of settlement by command, with its answer",
            "taken": "shares that the owner took out of a position by hand",
            "leases": "who works on settlement or the close now",
            "account": "the account's key, read once a session, and its balance as it was last read",
            "reads": "since when an answer of the broker cannot be read, and why",
            "turns": "when the account's next calls to Orders and Accounts may leave",
            "paper": "cash, positions and orders of paper mode, which E*TRADE never sees",
            "seals": "the heads of the audit chains at the close",
        },
    ),
    **_in(
        Domain.MARKET,
        {
            "signals": "every signal as the scan saw it",
            "receipts": "why each symbol was traded or not",
            "bars": "a session's minute bars as the scan builds them, also for a scan that starts cold",
            "quotes": "the scan's last quotes",
            "fallback_quotes": "prices from elsewhere while the broker gives none: shown, never traded on",
            "history": "daily bars of the watch list, joined from all sources",
            "gathered": "what each source outside gave of a symbol",
            "own_days": "daily bars made of what the scan saw",
            "own_minutes": "minute bars that the scan saw, one document for each symbol and session",
            "prepared": "how the work on a session's history stands; what its watch list is ranked by",
            "mornings": "what the broker said before a session: previous closes, spreads, symbols without a quote",
            "left_out": "strategies that are left out of a session, and why",
            "minutes": "who scans a minute of the market, and what was seen in it",
            "watches": "what the scan wants of a position: its stop level, and whether it is sold",
        },
    ),
    **_in(
        Domain.SIGN_IN,
        {
            "token": "which vault version holds the access token, its instants, and who works on it now",
            "flows": "sign-ins under way",
            "links": "sign-in links that were used",
            "sign_in": "how often sign-ins were refused",
        },
    ),
    **_in(
        Domain.NOTICES,
        {
            "notices": "every event that the owner was told of; created once, never changed",
            "untold": "notices that no address has taken so far",
            "paces": "how often each kind of notice was told lately",
        },
    ),
    **_in(
        None,
        {
            "outbox": "messages that a commit promised and that are not yet published",
            "dead_letters": "messages that no retry can help",
        },
    ),
}

LIFETIMES = {
    "asks": 90,
    "bars": 8,
    "mornings": 8,
    "links": 7,
    "left_out": 90,
    "minutes": 7,
    "paces": 7,
    "notices": 90,
    "receipts": 90,
    "untold": 90,
    "dead_letters": 365,
}
"""The days after which a database may forget a document, by collection."""
