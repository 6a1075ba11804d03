"""Sign-ins under way: found by a cookie of which only the hash is kept, begun so often with a link, swept when over.

Each link counts its own: who holds one can use that one up and keeps nobody else's from working. Their times are a
person's: on a simulated clock they last as much longer as it runs faster (`Desk.pace`).
"""

import contextlib
import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

from shared.codec import decode
from shared.errors import Malformed, StoreError
from shared.frozen import frozen
from shared.ports import Delete, Document, Vault
from shared.topology import REQUEST_TOKEN
from shared.usecases.base.desk import Desk, Held, create, persist, read
from shared.usecases.base.links import Link
from shared.usecases.sign_in import token

FLOW_LIFE = timedelta(minutes=5)
"""How long E*TRADE keeps a request token."""
AGAIN_LIFE = timedelta(minutes=15)
"""How long the browser that used a link may begin again without another one."""
MOST_STARTS = 5
"""How often a sign-in may be begun with one link: the first time, and again in the browser that used it."""


MOST_TRIES = 3
"""How many verifiers one flow brings to E*TRADE."""


@frozen
class Flow:
    """One sign-in under way: whose it is, what its callback must name, and where its request token lies in the vault.

    `link` is the number of the link that it began with, `link_made_at` when that was made; `done` says that it ended in
    a stored token; `used` that an exchange was begun, `tries` how many verifiers E*TRADE refused.
    """

    operator: str
    link: str
    link_made_at: datetime
    state: str
    version: str
    expires_at: datetime
    again_until: datetime
    used: bool = False
    done: bool = False
    tries: int = 0


@frozen
class UsedLink:
    """A link that began sign-ins, so many; kept until neither it nor its browser can begin another.

    `refused` says that the owner was told of one more that was refused.
    """

    starts: int
    expires_at: datetime
    refused: bool = False


def state_of(request_token: str) -> str:
    """Name a request token without holding it: what form and callback must name to fit the cookie."""
    return hashlib.sha256(request_token.encode()).hexdigest()[:32]


def path_of(cookie: str) -> str:
    """Give the path of the flow that a browser's cookie opens."""
    return f"flows/{hashlib.sha256(cookie.encode()).hexdigest()}"


def link_path(name: str) -> str:
    """Give the path under which a link's use is remembered."""
    return f"links/{name}"


def used(desk: Desk, name: str) -> Held[UsedLink] | None:
    """Read what a link has begun so far, None while nothing."""
    return read(desk.store, UsedLink, link_path(name))


def use(desk: Desk, link: Link, again_until: datetime) -> None:
    """Note that a link begins its first sign-in; raises Conflict where it has begun one already."""
    kept = UsedLink(starts=1, expires_at=max(link.expires_at, again_until))
    desk.store.commit([create(link_path(link.name), kept)])


def use_again(desk: Desk, name: str) -> bool:
    """Count another sign-in of a link; false when it has begun as many as one may."""

    def attempt() -> bool:
        held = used(desk, name)
        if held is None or held.value.starts >= MOST_STARTS:
            return False
        desk.store.commit([held.update(replace(held.value, starts=held.value.starts + 1))])
        return True

    return persist(attempt)


def withdraw(desk: Desk, name: str) -> None:
    """Take a start off the link's count that came to nothing without the owner's doing; what fails here counts."""
    with contextlib.suppress(StoreError):
        held = used(desk, name)
        if held is not None:
            left = replace(held.value, starts=held.value.starts - 1)
            desk.store.commit([held.update(left) if left.starts else Delete(held.path)])


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
        if _is_over(row, now):
            desk.store.commit([Delete(row.path)])


def _is_over(row: Document, now: datetime) -> bool:
    """Tell whether a used link is over; one that cannot be read is."""
    try:
        return now > decode(UsedLink, row.data).expires_at
    except Malformed:
        return True
