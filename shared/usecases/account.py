"""Which account is ours: asked of the broker once a session, then read from the store.

An account is chosen only when nothing about the choice is a guess. A row of the list that cannot be read hides no other
row; but where it may be the account that is meant, it is named, and nothing is traded.
"""

from dataclasses import replace
from datetime import date

from shared.domain.brokerage import Account, AccountRecord, Balance
from shared.errors import ConfigError, Unreadable
from shared.usecases.desk import Held, put, read
from shared.usecases.trading import TradingDesk

PATH = "account/main"
_DECIDES = ("accountStatus", "accountIdKey")
_NAMES = ("accountIdKey", "accountId")


def ours(desk: TradingDesk, session: date) -> Held[AccountRecord]:
    """Give our account's record for a session; raises ConfigError when the setting does not name exactly one.

    Raises Unreadable with the field that is missing in the account that may be meant.
    """
    held = read(desk.store, AccountRecord, PATH)
    fresh = held is not None and held.value.session == session
    desk.journal.line("cache", kind="account", asked=1, served=int(fresh))
    if held is not None and fresh:
        return held
    account = _choose(desk.broker.accounts(), desk.mandate.account_id)
    record = AccountRecord(key=account.key, mode=account.mode, session=session)
    return Held(path=PATH, value=record, version=desk.store.commit([put(PATH, record)])[0])


def balance(desk: TradingDesk, account: AccountRecord) -> Balance:
    """Ask what our account can spend; raises AuthError, BrokerError.

    An answer without a mode has that of the account list. Raises Unreadable with the name of a figure that is missing.
    """
    found = desk.broker.balance(account.key)
    if not found.account_mode:
        found = replace(found, account_mode=account.mode)
    if found.lacks is not None:
        raise Unreadable(f"balance: {found.lacks} is missing")
    return found


def _choose(accounts: tuple[Account, ...], wanted: str) -> Account:
    may_be = [account for account in accounts if account.active or "accountStatus" in account.odd]
    matching = [account for account in may_be if not wanted or wanted in (account.number, account.key)]
    if len(matching) == 1:
        _require(matching, _DECIDES)
        return matching[0]
    if wanted and not matching:
        _require(may_be, _NAMES)
    problem = f"ETRADE_ACCOUNT_ID matches {len(matching)} of {len(may_be)} active accounts: name the one to trade"
    raise ConfigError((problem,))


def _require(accounts: list[Account], names: tuple[str, ...]) -> None:
    missing = [name for name in names if any(name in account.odd for account in accounts)]
    if missing:
        raise Unreadable(f"accounts: {missing[0]} is missing")
