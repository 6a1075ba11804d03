"""Which account is ours: asked of the broker once a session, then read from the store."""

from datetime import date

from shared.domain.brokerage import Account, AccountRecord
from shared.errors import ConfigError
from shared.usecases.desk import Held, put, read
from shared.usecases.trading import TradingDesk

PATH = "account/main"


def ours(desk: TradingDesk, session: date) -> Held[AccountRecord]:
    """Give our account's record for a session; raises ConfigError when the setting does not name exactly one."""
    held = read(desk.store, AccountRecord, PATH)
    fresh = held is not None and held.value.session == session
    desk.journal.line("cache", kind="account", asked=1, served=int(fresh))
    if held is not None and fresh:
        return held
    account = _choose(desk.broker.accounts(), desk.mandate.account_id)
    record = AccountRecord(key=account.key, session=session)
    return Held(path=PATH, value=record, version=desk.store.commit([put(PATH, record)])[0])


def _choose(accounts: tuple[Account, ...], wanted: str) -> Account:
    active = [account for account in accounts if account.active]
    matching = [account for account in active if not wanted or wanted in (account.number, account.key)]
    if len(matching) != 1:
        problem = f"ETRADE_ACCOUNT_ID matches {len(matching)} of {len(active)} active accounts: name the one to trade"
        raise ConfigError((problem,))
    return matching[0]
