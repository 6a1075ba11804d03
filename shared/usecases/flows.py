"""Sign-ins under way: found by a cookie of which only the hash is kept, started so often an hour, swept when over.

Their times are a person's: on a simulated clock they last as much longer as it runs faster (`Desk.pace`).
"""

import contextlib
import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.codec import decode
from shared.errors import Malformed, StoreError
from shared.ports import Delete, Vault
from shared.topology import REQUEST_TOKEN
from shared.usecases import token
from shared.usecases.desk import Desk, persist, read, replaced
from shared.usecases.links import Link

FLOW_LIFE = timedelta(minutes=5)
"""How long E*TRADE keeps a request token."""
AGAIN_LIFE = timedelta(minutes=15)
"""How long the browser that used a link may begin again without another one."""
STARTS_WINDOW = timedelta(hours=1)
MOST_STARTS = 5
COOKIE_LENGTH = 43
"""Letters and digits, so 256 bits."""
_STARTS = "sign_in/starts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One sign-in under way: whose it is, what its callback must name, and where its request token lies in the vault.

    `link_made_at` is when the link was made that it began with; `done` says that it ended in a stored token; `used`
    that its one exchange was begun.
    """

    operator: str
    link_made_at: datetime
    state: str
    version: str
    expires_at: datetime
    again_until: datetime
    used: bool = False
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedLink:
    """A link that started a sign-in; kept until the link would be too old anyway."""

    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts:
    """The instants of the last hour's starts by one operator."""

    operator: str
    at: tuple[datetime, ...]


def forgive(desk: Desk) -> None:
    """Forget the starts of the last hour: who reaches the store is the owner, whom no holder of a link may lock out."""
    desk.store.commit([Delete(_STARTS)])


def state_of(request_token: str) -> str:
    """Name a request token without holding it: what form and callback must name to fit the cookie."""
    return hashlib.sha256(request_token.encode()).hexdigest()[:32]


def path_of(cookie: str) -> str:
    """Give the path of the flow that a browser's cookie opens."""
    return f"flows/{hashlib.sha256(cookie.encode()).hexdigest()}"


def link_path(link: Link) -> str:
    """Give the path under which a link's use is remembered."""
    return f"links/{link.name}"


def admit(desk: Desk, operator: str) -> datetime | None:
    """Count one start and give its instant; None when the operator has begun as often as is allowed in an hour."""

    def attempt() -> datetime | None:
        now = desk.clock.now()
        held = read(desk.store, Starts, _STARTS)
        same = held is not None and held.value.operator == operator
        recent = (
            tuple(at for at in held.value.at if now - at < STARTS_WINDOW * desk.pace)
            if held is not None and same
            else ()
        )
        if len(recent) >= MOST_STARTS:
            return None
        after = Starts(operator=operator, at=(*recent, now))
        desk.store.commit([replaced(_STARTS, held, after)])
        return now

    return persist(attempt)


def withdraw(desk: Desk, at: datetime) -> None:
    """Take a start off the count that came to nothing without the owner's doing; what fails here stays counted."""
    with contextlib.suppress(StoreError):
        held = read(desk.store, Starts, _STARTS)
        if held is not None:
            left = tuple(one for one in held.value.at if one != at)
            desk.store.commit([held.update(replace(held.value, at=left))])


def sweep(desk: Desk, vault: Vault) -> None:
    """Forget flows and links that are long over, and destroy request tokens that nobody finished with.

    A flow that cannot be read is over, too: it must not keep anybody from signing in.
    """
    now = desk.clock.now()
    for row in desk.store.query("flows"):
        try:
            old = decode(Flow, row.data)
        except Malformed:
            desk.store.commit([Delete(row.path)])
            continue
        if now > old.expires_at + FLOW_LIFE * desk.pace:
            token.discard(vault, REQUEST_TOKEN, old.version)
            if now > old.again_until:
                desk.store.commit([Delete(row.path)])
    for row in desk.store.query("links"):
        if now > decode(UsedLink, row.data).expires_at:
            desk.store.commit([Delete(row.path)])
