"""The links that lead the owner to a sign-in or to a halt: signed, for one purpose, with an end, and silent in logs.

What can go wrong: somebody makes one up, changes one, keeps an old one, or reads one in a log. What this promises: a
link holds the instant that it was made at, an expiry, a number drawn for it alone and an HMAC-SHA256 of these, of
its purpose and of the operator's name under the key of its purpose, which only the functions that mint and check have;
what is compared is compared in constant time. Sign-ins and halts have a key each, so that who may mint the one cannot
mint the other. The signed part stands behind the `#` of the address, which browsers send to nobody: the
page posts it (shared/pages), so that no request log holds it and no program that looks at a link in advance uses it up.
That a sign-in link counts once, and no longer once somebody has signed in, is `authorize`'s promise. A halt link
opens no sign-in, and may be used again until its end: to halt twice is to halt. A browser's cookie is signed, too, so
that a made up one is refused without a look into the store.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from shared.errors import ConfigError
from shared.frozen import frozen
from shared.ports import Chance, Vault
from shared.topology import HALT_KEY, SIGN_IN_KEY

LOGIN_LINK_LIFE = timedelta(minutes=10)
REMINDER_LINK_LIFE = timedelta(hours=1)
HALT_LINK_LIFE = timedelta(hours=12)
COOKIE_LENGTH = 43
"""Letters and digits, so 256 bits."""
MIN_KEY_BYTES = 32
MAX_TEXT = 2_000

SIGN_IN = "etrade-strategy sign-in link 2"
HALT = "etrade-strategy halt link 1"
SECRETS = {SIGN_IN: SIGN_IN_KEY, HALT: HALT_KEY}
"""The secret in which the key of a purpose lies."""
_COOKIE_PURPOSE = "etrade-strategy sign-in cookie 1"
_NONCE_LENGTH = 22
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TEXT = re.compile(r"2\.([0-9]{15,17})\.([0-9]{9,11})\.([A-Za-z0-9]{22})\.([A-Za-z0-9_-]{43})")
_COOKIE = re.compile(rf"([A-Za-z0-9]{{{COOKIE_LENGTH}}})\.([A-Za-z0-9_-]{{43}})")


@frozen
class Link:
    """A link that was genuine when it was read; `name` is its number, hashed, under which its use is remembered."""

    name: str
    made_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkKey:
    """The key that signs the links of one purpose for one operator; never logged, never shown."""

    operator: str
    value: bytes = field(repr=False)
    purpose: str = SIGN_IN

    def mint(self, chance: Chance, *, now: datetime, lasts: timedelta, page: str) -> str:
        """Give a new link to the page at the address `page`."""
        return address_of(page, self.sign(chance, now=now, lasts=lasts))

    def sign(self, chance: Chance, *, now: datetime, lasts: timedelta) -> str:
        """Give the signed part of a new link, which leads nowhere without an address."""
        made, expires = str((now - _EPOCH) // _MICROSECOND), str(int((now + lasts).timestamp()))
        nonce = chance.token(_NONCE_LENGTH)
        return f"2.{made}.{expires}.{nonce}.{self._signature(made, expires, nonce)}"

    def check(self, text: str, now: datetime) -> Link | None:
        """Read a link, or what is behind its `#`; None when it is forged, changed, another operator's or too old."""
        link = self.genuine(text)
        return link if link is not None and now < link.expires_at else None

    def genuine(self, text: str) -> Link | None:
        """Read a link whether or not its time is over; None when it is forged, changed or another operator's."""
        found = _form_of(text)
        if found is None:
            return None
        made, expires, nonce, signature = found.groups()
        if not hmac.compare_digest(signature, self._signature(made, expires, nonce)):
            return None
        name, made_at = hashlib.sha256(nonce.encode()).hexdigest()[:32], _EPOCH + int(made) * _MICROSECOND
        return Link(name=name, made_at=made_at, expires_at=datetime.fromtimestamp(int(expires), UTC))

    def cookie(self, chance: Chance) -> str:
        """Draw the cookie of one browser's sign-in."""
        nonce = chance.token(COOKIE_LENGTH)
        return f"{nonce}.{self._signed(_COOKIE_PURPOSE, nonce)}"

    def gave(self, cookie: str) -> bool:
        """Tell whether a cookie is one that `cookie` drew for this operator."""
        found = _COOKIE.fullmatch(cookie)
        return found is not None and hmac.compare_digest(found[2], self._signed(_COOKIE_PURPOSE, found[1]))

    def _signature(self, made: str, expires: str, nonce: str) -> str:
        return self._signed(self.purpose, made, expires, nonce)

    def _signed(self, purpose: str, *parts: str) -> str:
        signed = "\n".join((purpose, self.operator, *parts)).encode()
        return base64.urlsafe_b64encode(hmac.digest(self.value, signed, "sha256")).decode().rstrip("=")


class Keys(Protocol):
    """Gives the key that links are checked with, and checks what browsers bring."""

    def __call__(self) -> LinkKey:
        """Give the key; raises ConfigError where there is none that is long enough, and StoreDown."""
        ...

    def genuine(self, text: str) -> Link | None:
        """Read a link as `LinkKey.genuine` does."""
        ...

    def gave(self, cookie: str) -> bool:
        """Tell whether a cookie was drawn here."""
        ...


def sign_in_key(vault: Vault, operator: str) -> LinkKey:
    """Read the newest key from the vault; raises ConfigError when there is none that is long enough, and StoreDown."""
    return _key(vault, operator, SIGN_IN)


def halt_key(vault: Vault, operator: str) -> LinkKey:
    """Read the newest key of halt links; raises as `sign_in_key` does."""
    return _key(vault, operator, HALT)


def _key(vault: Vault, operator: str, purpose: str) -> LinkKey:
    _, value = newest(vault, SECRETS[purpose])
    return LinkKey(operator=operator, value=value or b"", purpose=purpose)


def halt_page(sign_in_page: str) -> str:
    """Give the address of the page that takes halt links: it stands beside the start page."""
    return f"{sign_in_page.rpartition('/')[0]}/halt"


def address_of(page: str, signed: str) -> str:
    """Put a link together of a page's address and its signed part."""
    return f"{page}#{signed}"


def is_signed_part(text: str) -> bool:
    """Tell whether a text is the signed part of a link by its form, genuine or not, and nothing besides."""
    return _TEXT.fullmatch(text) is not None


def has_form(text: str) -> bool:
    """Tell whether a text has the form of a link, genuine or not."""
    return _form_of(text) is not None


def is_cookie(text: str) -> bool:
    """Tell whether a text has the form of a cookie, genuine or not."""
    return _COOKIE.fullmatch(text) is not None


def _form_of(text: str) -> re.Match[str] | None:
    return _TEXT.fullmatch(text[:MAX_TEXT].strip().rpartition("#")[2])


def newest(vault: Vault, secret: str, *, known: str = "") -> tuple[str, bytes | None]:
    """Find the newest version of a key and read it, unless it is the one that is `known`; raises as `sign_in_key`."""
    versions = vault.versions(secret)
    if versions and versions[-1] == known:
        return known, None
    try:
        value = vault.read(secret, versions[-1]) if versions else b""
    except KeyError:
        value = b""
    if len(value) < MIN_KEY_BYTES:
        raise ConfigError((f"the secret {secret} does not hold {MIN_KEY_BYTES} random bytes: store a key first",))
    return versions[-1], value
