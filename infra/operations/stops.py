"""Which rules keep every purchase out now, in the words of a denied entry, for whoever asks why nothing is bought.

What can go wrong: a rule that bars every symbol shows only at an order that it denied. What this promises: each rule
that needs no symbol, quote or price is asked as an entry of this moment would be; one whose facts are not known here is
left out, for a denied order says so. The losses of the day and the drawdown stand in the trading state, which
settlement tightens for them.
"""

from collections.abc import Mapping
from datetime import datetime

from infra.operations import configuring, look
from infra.operations.profiles import Hand
from shared.domain.base.calendar import TradingSession, is_open, session_at
from shared.domain.base.values import PriceType, Side, Term
from shared.domain.control.config import StrategyConfig
from shared.domain.orders.orders import Kind
from shared.domain.orders.positions import Ledger
from shared.domain.orders.versions import in_force
from shared.domain.risk import denials
from shared.domain.risk.facts import RiskFacts
from shared.domain.risk.risk import ENTRY_RULES
from shared.errors import ConfigError, Malformed
from shared.strategies import config as shipped

_CONFIGURED = ("LATE_ENTRY", "MAX_OPEN_POSITIONS", "MAX_OPEN_ORDERS", "ENTRIES_PER_DAY")
_OF_THE_BALANCE = ("DAY_TRADER_STATUS", "MARGIN_CALL")


def stops(hand: Hand, environ: Mapping[str, str], books: look.Books) -> tuple[str, ...]:
    """Say each rule that denies any entry at this moment; nothing while the market is closed. Raises StoreDown."""
    at = hand.desk.clock.now()
    session = session_at(at)
    if session is None or not is_open(at):
        return ()
    facts, config = _facts(books, at, session), _config(hand, environ)
    codes = [
        *(("KILL_SWITCH",) if facts.control is not None else ()), *(_CONFIGURED if config is not None else ()),
        "CONSECUTIVE_LOSSES", "UNKNOWN_PRESENT", *(_OF_THE_BALANCE if facts.balance is not None else ()),
    ]  # fmt: skip
    judged_by = config or shipped.load("default")
    return tuple(denials.sentences((code,), facts, judged_by) for code in codes if ENTRY_RULES[code](facts, judged_by))


def _facts(books: look.Books, at: datetime, session: TradingSession) -> RiskFacts:
    """Give what is known of the account, and an entry of no symbol."""
    ledgers = [one for one in books.ledgers if one.session == session.day]
    return RiskFacts(
        now=at, kind=Kind.ENTRY, symbol="", side=Side.BUY, price_type=PriceType.LIMIT, term=Term.GOOD_FOR_DAY,
        quantity=1, limit_price=None, decided_at=at, session=session, control=books.control,
        ledger=ledgers[0] if ledgers else Ledger(session=session.day), positions=books.open, live_orders=books.live,
        balance=None if books.balance is None else books.balance.balance,
    )  # fmt: skip


def _config(hand: Hand, environ: Mapping[str, str]) -> StrategyConfig | None:
    """Give the configuration in force; None where this machine cannot know it."""
    if hand.mode is None:
        return None
    try:
        base = configuring.base_of(hand, environ)
    except (ConfigError, Malformed):
        return None
    versions = None if base.held is None else base.held.value
    return in_force(versions, base.file, base.most, hand.desk.clock.now()).config
