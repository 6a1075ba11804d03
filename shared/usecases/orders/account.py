"""Which account is ours: asked of the broker once a session, then read from the store.

An account is chosen only when nothing about the choice is a guess. A row of the list that cannot be read hides no other
row; but where it may be the account that is meant, it is named, and nothing is traded.
"""

from dataclasses import replace
from datetime import date

from shared.domain.broker import day_trades
from shared.domain.broker.brokerage import Account, AccountRecord, Balance, LastBalance
from shared.domain.broker.day_trades import DayTradeRule
from shared.domain.broker.reads import Answer
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import Order
from shared.domain.risk.account_rules import said_against
from shared.domain.telling.barred import EntriesBarred
from shared.errors import BrokerError, ConfigError, Conflict, Malformed, StoreDown, Unreadable
from shared.ports import Put, Severity
from shared.usecases.base.desk import Desk, Held, put, read_sound
from shared.usecases.base.pins import NOT_PINNED, Pinned, pinned
from shared.usecases.base.reads import Judge
from shared.usecases.base.trading import TradingDesk
from shared.usecases.control import control
from shared.usecases.orders.losses import positions_anywhere
from shared.usecases.telling import notices

PATH = "account/main"
LAST_BALANCE = "account/balance"
RESTRICTED = "1036"
"""E*TRADE's code of an account that is restricted (etrade-api.md 4.14)."""
BARRED = "ACCOUNT_RESTRICTED"
HELD_ELSEWHERE = "another account was chosen while shares are held in the one of before: sell them, or choose it again"
_DECIDES = ("accountStatus", "accountIdKey")
_NAMES = ("accountIdKey", "accountId")


def ours(desk: TradingDesk, session: date) -> Held[AccountRecord]:
    """Give our account's record for a session; raises ConfigError where the chosen account is not exactly one of them.

    It is asked for anew when another account was chosen meanwhile. A token whose accounts are others halts trading.

    Raises Unreadable with the field that is missing in the account that may be meant.
    """
    held = read_sound(desk, AccountRecord, PATH)
    chosen = pinned(desk.store, desk.mandate.operator, desk.mandate.account_id)
    fresh = held is not None and held.value.session == session and held.value.chosen == chosen.mark
    desk.journal.line("cache", kind="account", asked=1, served=int(fresh))
    if held is not None and fresh:
        return held
    if held is not None and held.value.chosen != chosen.mark and positions_anywhere(desk):
        raise ConfigError((HELD_ELSEWHERE,))
    account = _chosen(desk, desk.broker.accounts(), chosen)
    record = AccountRecord(key=account.key, mode=account.mode, session=session, chosen=chosen.mark)
    return Held(path=PATH, value=record, version=desk.store.commit([put(PATH, record)])[0])


def to_sell(desk: TradingDesk, session: date) -> Held[AccountRecord]:
    """Give our account's record to sell, cancel and look with: while anything is held, the one where it lies.

    This session's also serves where the choice cannot be read, or the broker does not list the accounts. Raises as
    `ours` where there is none of this session.
    """
    try:
        return ours(desk, session)
    except (StoreDown, Malformed, ConfigError, BrokerError) as problem:
        held = read_sound(desk, AccountRecord, PATH)
        if held is None or held.value.session != session:
            raise
        desk.journal.line("choice_unread", Severity.WARNING, kind=type(problem).__name__, detail=problem.detail)
        return held


def balance(desk: TradingDesk, account: AccountRecord) -> Balance:
    """Ask what our account can spend; raises AuthError, BrokerError.

    An answer without a mode has that of the account list. Raises Unreadable with the name of a figure that is missing.
    """
    found = desk.broker.balance(account.key)
    if not found.account_mode:
        found = replace(found, account_mode=account.mode)
    missing = _missing(found)
    if missing is not None:
        raise Unreadable(missing)
    return found


def judge(desk: Desk, operator: str, account_id: str) -> Judge:
    """Give what says of account lists and balances what they lack, so that the owner is told why nothing is bought."""

    def lacks(what: Answer, answer: object) -> str | None:
        if isinstance(answer, Balance):
            return _missing(answer if answer.account_mode else replace(answer, account_mode=_listed_mode(desk)))
        if what is not Answer.ACCOUNTS or not isinstance(answer, tuple):
            return None
        try:
            _choose(answer, pinned(desk.store, operator, account_id))
        except Unreadable as problem:
            return problem.detail
        except ConfigError:
            return None  # what the owner has set is told by other means
        return None

    return lacks


def _listed_mode(desk: Desk) -> str:
    held = read_sound(desk, AccountRecord, PATH)
    return "" if held is None else held.value.mode


def _missing(found: Balance) -> str | None:
    """Name the figure that a balance lacks."""
    return None if found.lacks is None else f"balance: {found.lacks} is missing"


def counted(desk: TradingDesk, held: Held[AccountRecord], found: Balance) -> Held[AccountRecord]:
    """Count the day trades of the sessions before, once a session and only where a rule needs them.

    It costs one order list of those sessions; the count is kept with the account. Raises AuthError, BrokerError.
    """
    record = held.value
    chosen = desk.config.account.day_trade_rule
    applies = day_trades.rule_on(record.session, chosen) is DayTradeRule.LEGACY_PDT and day_trades.is_counted(found)
    if not applies or record.day_trades is not None:
        return held
    days = day_trades.sessions_before(record.session)
    listing = desk.broker.orders(record.key, since=days[0])
    before = day_trades.earlier(listing, days) + day_trades.standing(listing, record.session)
    desk.journal.line("day_trades", sessions=len(days), counted=before)
    return _keep(desk, held, replace(record, day_trades=before))


def barred(desk: TradingDesk, order: Order, *codes: str | None) -> list[Put]:
    """Give the writes that keep and tell that the broker's answer to an order calls the account restricted, or none.

    Entries of the session end by it; a sell is never kept back.
    """
    if RESTRICTED not in codes:
        return []
    why = f"code {RESTRICTED} for {order.side} {order.symbol}"
    told = notices.announce(desk, EntriesBarred(code=BARRED, why=why, session=order.session, at=desk.clock.now()))
    held = read_sound(desk, AccountRecord, PATH)
    return [told] if held is None else [told, put(PATH, replace(held.value, restricted=RESTRICTED))]


def tell(desk: TradingDesk, found: Balance) -> None:
    """Tell, once a session, what the broker's own balance says against entries, whether or not one is wanted."""
    held, against = read_sound(desk, AccountRecord, PATH), said_against(found)
    if held is None or not against.keys() - held.value.told:
        return
    rows = [
        notices.announce(desk, EntriesBarred(code=code, why=why, session=held.value.session, at=found.at))
        for code, why in against.items()
    ]
    try:
        desk.store.commit([held.update(replace(held.value, told=tuple(sorted({*held.value.told, *against})))), *rows])
    except Conflict:
        desk.journal.line("account_told_later", why="somebody else wrote the account's record")


def note(desk: TradingDesk, found: Balance) -> None:
    """Write down what was read of the account's money, so that its owner sees it without a call of theirs."""
    known = found if found.account_mode else replace(found, account_mode=_listed_mode(desk))
    desk.store.commit([put(LAST_BALANCE, LastBalance(balance=known, capital=desk.mandate.capital_usd))])


def _keep(desk: TradingDesk, held: Held[AccountRecord], record: AccountRecord) -> Held[AccountRecord]:
    """Write what was learned; when somebody else wrote meanwhile, it is asked for again next time."""
    try:
        return Held(path=PATH, value=record, version=desk.store.commit([held.update(record)])[0])
    except Conflict:
        return replace(held, value=record)


def _chosen(desk: TradingDesk, accounts: tuple[Account, ...], chosen: Pinned) -> Account:
    """Choose our account, and halt where the token in force has none that is ours: its book would be another one."""
    try:
        return _choose(accounts, chosen)
    except ConfigError:
        if chosen.known and not chosen.among(accounts):
            control.tighten(desk, TradingState.HALTED, reason="the token is of another account than the chosen one")
        raise


def _choose(accounts: tuple[Account, ...], chosen: Pinned) -> Account:
    may_be = [account for account in accounts if account.may_be_active]
    if not chosen.known:
        raise ConfigError((NOT_PINNED,))
    matching = [account for account in may_be if chosen.is_ours(account)]
    if len(matching) == 1:
        _require(matching, _DECIDES)
        return matching[0]
    if not matching:
        _require(may_be, _NAMES)
    problem = f"{len(matching)} of {len(may_be)} active accounts are the chosen one"
    raise ConfigError((f"{problem}: choose it with `strategy login --change-account`, or by ETRADE_ACCOUNT_ID",))


def _require(accounts: list[Account], names: tuple[str, ...]) -> None:
    missing = [name for name in names if any(name in account.odd for account in accounts)]
    if missing:
        raise Unreadable(f"accounts: {missing[0]} is missing")
