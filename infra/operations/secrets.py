"""The secrets that only the owner has, on their way into a desk's vault.

What can go wrong: a value is mistyped, cut off, or shown; the vault takes it and gives back another; the old one stays.
What this promises: a value comes from a hidden prompt or from stdin, never from the command's own words, and is not
repeated in any message; it is checked before it is stored and read back after; only then are older ones destroyed.
"""

import logging
import re
import secrets
from collections.abc import Callable
from functools import partial

from infra.operations.profiles import Hand
from infra.simulated_day.problems import UserError
from shared import settings
from shared.codec import dumps
from shared.frozen import frozen
from shared.ports import Vault
from shared.topology import ALPACA_KEY, CONSUMER, HALT_KEY, NOTIFY_ADDRESSES, SIGN_IN_KEY
from shared.usecases.base.links import MIN_KEY_BYTES
from shared.usecases.sign_in import token

_PRINTED = re.compile(r"[!-~]{8,200}")
_WANTED_KEY = f"{MIN_KEY_BYTES} random characters or more, or --generate"


@frozen
class Kind:
    """One secret that the owner stores: what it is `called`; `parse` gives its bytes, and raises ValueError."""

    called: str
    asks: tuple[str, ...]
    parse: Callable[[tuple[str, ...]], bytes]
    wants: str


@frozen
class Stored:
    """What became of a secret: its new version, and how many older ones were and were not destroyed."""

    secret: str
    version: str
    destroyed: int
    left: int


def _pair(first: str, answers: tuple[str, ...]) -> bytes:
    """Check two parts of a key that somebody issued, and give them as a JSON object of `first` and secret."""
    key, secret = (answer.strip() for answer in answers)
    if not (_PRINTED.fullmatch(key) and _PRINTED.fullmatch(secret)) or key == secret:
        raise ValueError
    return dumps({first: key, "secret": secret})


def _addresses(answers: tuple[str, ...]) -> bytes:
    import apprise  # late: it knows a hundred services, and only this secret needs it

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it would repeat an address that it refuses
    found = settings.addresses("\n".join(answers))
    if not found or not all(apprise.Apprise().add(address) for address in found):
        raise ValueError
    return "\n".join(found).encode()


def _key(answers: tuple[str, ...]) -> bytes:
    value = answers[0].strip().encode()
    if len(value) < MIN_KEY_BYTES or len(set(value)) < MIN_KEY_BYTES // 2:
        raise ValueError
    return value


KINDS = {
    CONSUMER: Kind(
        called="a consumer key with its secret",
        asks=("Consumer key", "Consumer secret"), parse=partial(_pair, "key"),
        wants="the consumer key and the consumer secret as E*TRADE shows them, each on a line",
    ),
    NOTIFY_ADDRESSES: Kind(
        called="a list of addresses for notices",
        asks=("Addresses for notices, blanks between them",), parse=_addresses, wants=settings.ADDRESSES_HINT,
    ),
    SIGN_IN_KEY: Kind(
        called="a key for sign-in links", asks=("Key that signs sign-in links",), parse=_key, wants=_WANTED_KEY
    ),
    HALT_KEY: Kind(called="a key for halt links", asks=("Key that signs halt links",), parse=_key, wants=_WANTED_KEY),
    ALPACA_KEY: Kind(
        called="a key id of Alpaca's with its secret",
        asks=("Alpaca's key id", "Alpaca's secret"), parse=partial(_pair, "key_id"),
        wants="the key id and the secret as Alpaca shows them, each on a line",
    ),
}  # fmt: skip
DRAWN = frozenset({SIGN_IN_KEY, HALT_KEY})
"""The secrets that nobody gives the owner: --generate draws them."""


def kind_of(name: str, *, generate: bool) -> Kind:
    """Give the kind of a secret; raises UserError for one that nobody stores by hand, or that cannot be made up."""
    if name not in KINDS:
        raise UserError(f"{name} is no secret that the owner stores", remedy=f"choose {', '.join(KINDS)}")
    if generate and name not in DRAWN:
        raise UserError(f"{name} cannot be generated", remedy="leave --generate out, and give what you were given")
    return KINDS[name]


def require_real_broker(hand: Hand, name: str) -> None:
    """Refuse to take somebody's key for a desk of the simulator, before it is asked for; raises UserError."""
    if hand.simulated and name == ALPACA_KEY:
        what = (
            f"nothing was stored, and the vault is as it was: the simulated market of {hand.name} has days of its own, "
            "and a simulated system's vault is one that anyone can open"
        )
        raise UserError(what, remedy="store it for a system at E*TRADE, or with --profile cloud")
    if hand.simulated and name == CONSUMER:
        what = (
            f"nothing was stored, and the vault is as it was: the broker of {hand.name} is the simulator, which has a "
            "key of its own, and a simulated system's vault is one that anyone can open"
        )
        remedy = (
            "start a system at E*TRADE with `strategy up --broker sandbox` and the pair in ETRADE_CONSUMER_KEY and "
            "ETRADE_CONSUMER_SECRET; later replace it here with --state state/sandbox-paper"
        )
        raise UserError(what, remedy=remedy)


def value_of(name: str, answers: tuple[str, ...]) -> bytes:
    """Check what the owner gave; raises UserError that does not repeat it."""
    kind = KINDS[name]
    try:
        if len(answers) < len(kind.asks):
            raise ValueError
        return kind.parse(answers)
    except ValueError:
        raise UserError(f"this cannot be {kind.called}", remedy=f"give {kind.wants}") from None


def generated() -> bytes:
    """Draw a key for links."""
    return secrets.token_bytes(MIN_KEY_BYTES)


def store(vault: Vault, name: str, value: bytes) -> Stored:
    """Add a version, read it back and destroy older ones; raises UserError or StoreDown, then the old one counts."""
    older = vault.versions(name)
    version = vault.add(name, value)
    if not secrets.compare_digest(_read(vault, name, version), value):
        vault.destroy(name, version)
        raise UserError(f"the vault did not give {name} back as it was given", remedy="store it again")
    left = sum(not token.discard(vault, name, one) for one in older)
    return Stored(secret=name, version=version, destroyed=len(older) - left, left=left)


def _read(vault: Vault, name: str, version: str) -> bytes:
    try:
        return vault.read(name, version)
    except KeyError:
        return b""
