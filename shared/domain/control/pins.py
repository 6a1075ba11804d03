"""The account that the owner chose, as it is kept: enough to know it again, and not its number.

A number has eight digits, so a plain hash of it is as good as the number itself; whoever reads a backup of the database
must not read it there. So it is a slow, salted one (scrypt, some 50 ms), which nobody turns around in a day. A keyed
one would need a key that every function may read which reads the pin. The broker's own key of the account would not do:
it may be another one for another consumer key (etrade-api.md 3.1).
"""

import hashlib
import hmac
from datetime import datetime
from functools import cache

from shared.frozen import frozen

_COST, _BLOCK = 1 << 14, 8


@frozen
class Pin:
    """The account of one operator, since an instant; `digest` is of its number with `salt`."""

    salt: str
    digest: str
    pinned_at: datetime
    schema_version: int = 1


def pin_of(number: str, *, salt: str, at: datetime) -> Pin:
    """Make the pin of an account's number."""
    return Pin(salt=salt, digest=digest_of(number, salt), pinned_at=at)


def is_of(pin: Pin, number: str) -> bool:
    """Tell whether a pin is of this account's number."""
    return bool(number) and hmac.compare_digest(pin.digest, digest_of(number, pin.salt))


@cache
def digest_of(number: str, salt: str) -> str:
    """Hash a number slowly, once in each process."""
    return hashlib.scrypt(number.encode(), salt=salt.encode(), n=_COST, r=_BLOCK, p=1, dklen=32).hex()
