"""Which account is meant: the one that the setting names, and the one that the owner pinned by command.

What can go wrong: somebody holds a link, or a token is put into the vault, of another account, and the book, its stops
and the next orders would belong to that one. What this promises: an account is ours only where it is the pinned one and
the one of the setting, as far as there is either; where there is neither none is. Only `strategy login` writes a pin:
no function has a right to.
"""

from collections.abc import Iterable

from shared.domain.broker.brokerage import Account
from shared.domain.control.pins import Pin, digest_of, is_of, pin_of
from shared.frozen import frozen
from shared.ports import Chance, Clock, Put, Store
from shared.usecases.base.desk import put, read

SALT_LENGTH = 32
NOT_PINNED = "no account is chosen: run `strategy login`, which pins the account, or set ETRADE_ACCOUNT_ID"


@frozen
class Pinned:
    """What an account must be: number or key `account_id`, unless "", and that of `pin`, unless None."""

    account_id: str
    pin: Pin | None

    @property
    def known(self) -> bool:
        """Whether the owner has chosen an account at all."""
        return bool(self.account_id) or self.pin is not None

    @property
    def mark(self) -> str:
        """A name of the choice, to see that it is another one."""
        setting = digest_of(self.account_id, "setting") if self.account_id else ""
        return f"{setting}:{'' if self.pin is None else self.pin.digest}"

    def is_ours(self, account: Account) -> bool:
        """Tell whether an account is the chosen one."""
        named = not self.account_id or self.account_id in (account.number, account.key)
        return self.known and named and (self.pin is None or is_of(self.pin, account.number))

    def among(self, accounts: Iterable[Account]) -> bool:
        """Tell whether the chosen account is one of these."""
        return any(self.is_ours(one) for one in accounts if one.may_be_active)


def path(operator: str) -> str:
    """Give the path of an operator's pin."""
    return f"pins/{operator}"


def pinned(store: Store, operator: str, account_id: str) -> Pinned:
    """Read what the owner chose; raises StoreDown, Malformed."""
    held = read(store, Pin, path(operator))
    return Pinned(account_id=account_id, pin=None if held is None else held.value)


def pinning(account: Account, *, operator: str, chance: Chance, clock: Clock) -> Put:
    """Give the write that pins an account, for a command alone."""
    return put(path(operator), pin_of(account.number, salt=chance.token(SALT_LENGTH), at=clock.now()))
