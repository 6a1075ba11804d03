"""E*TRADE by the owner's key, with or without a system: on a client that has no word for placing or cancelling.

What can go wrong: a look at an account places or cancels something; it ends the token that a system works with; it
takes the turns of a running system's orders; a key or an account number is shown. What this promises: whoever reads
here holds `Reads`, in which there is no place and no cancel, and below it a transport that lets reads and previews out
and nothing else, whatever calls it; each call takes a turn of the account as an entry does, the least urgent; an
account is named by its last digits alone.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from infra.operations import secrets, systems
from infra.operations.login import authority_of
from infra.operations.profiles import Hand
from infra.operations.reads import Reads
from shared import settings
from shared.deadline import DeadlineAdapter
from shared.domain.broker.tokens import stage_of
from shared.domain.broker.turns import Purpose
from shared.errors import InvariantBroken, TokenDead
from shared.etrade.client import EtradeBroker
from shared.etrade.limits import Limits, Role
from shared.etrade.session import Credentials
from shared.etrade.skew import BrokerClock
from shared.etrade.turns import AccountTurns
from shared.gcp.threads import Threads
from shared.ports import SideBySide
from shared.topology import CONSUMER
from shared.usecases.sign_in import token
from shared.wiring.credentials import stored_consumer

_READ = re.compile(
    r"/v1/(accounts/list|accounts/[^/]+/(balance|portfolio|orders|orders/[0-9]+)|market/quote/[^/]+)\.json"
)
_PREVIEW = re.compile(r"/v1/accounts/[^/]+/orders/preview\.json")


class ReadsAlone(BaseAdapter):
    """Carries reads and previews to E*TRADE; anything else is our bug, and does not leave."""

    def __init__(self, way: BaseAdapter) -> None:
        super().__init__()
        self._way = way

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Carry a read or a preview; raises InvariantBroken for anything else, before it is sent."""
        path = urlsplit(str(request.url)).path
        allowed = {"GET": _READ, "POST": _PREVIEW}.get(str(request.method))
        if allowed is None or not allowed.fullmatch(path):
            raise InvariantBroken("a call that is neither a read nor a preview: it was not sent")
        return self._way.send(request, *args, **kwargs)

    def close(self) -> None:
        """Let the connections go."""
        self._way.close()


def require_reachable(hand: Hand) -> None:
    """Refuse a simulated broker that does not run; raises UserError."""
    if hand.simulated and hand.http is None:
        remedy = f"use a key of your own with --broker, or {systems.START_FIRST}"
        raise systems.resting(Path(hand.name), "its broker, the simulator, does not answer", remedy)


def require_pair(hand: Hand, environ: Mapping[str, str], ask: Callable[[], tuple[str, ...]]) -> None:
    """Put the consumer pair of a key alone into its vault: the environment's, else the one that is there, else `ask`'s.

    Raises UserError for what is no pair, ConfigError, StoreDown.
    """
    vault, given = hand.open_vault(), settings.consumer(environ)
    if given is None and vault.versions(CONSUMER):
        return
    value = secrets.value_of(CONSUMER, ask() if given is None else given)
    if given is None or _other(hand, given):
        secrets.store(vault, CONSUMER, value)


def _other(hand: Hand, given: tuple[str, str]) -> bool:
    vault = hand.open_vault()
    return not vault.versions(CONSUMER) or stored_consumer(vault) != given


def signs(hand: Hand) -> bool:
    """Tell whether a token is stored that still signs; raises StoreDown, Malformed."""
    return token.stage(hand.desk.store, hand.desk.clock.now()).signs


def credentials_of(hand: Hand) -> Credentials:
    """Read the consumer pair and the token that counts; raises TokenDead, ConfigError, StoreDown."""
    vault, held = hand.open_vault(), token.current(hand.desk.store)
    key, secret = stored_consumer(vault)
    if held is None or not stage_of(held.value, hand.desk.clock.now()).signs:
        raise TokenDead("there is no access token that lives")
    access = token.load(vault, held.value)
    return Credentials(
        consumer_key=key, consumer_secret=secret, token=access, token_dies_at=held.value.dies_at
    )  # fmt: skip


def reads(
    hand: Hand, *, limits: Limits | None = None, over: Callable[[BaseAdapter], BaseAdapter] = lambda way: way,
    broker_clock: BrokerClock | None = None, side_by_side: SideBySide | None = None,
) -> Reads:  # fmt: skip
    """Build the reading client of a hand that is signed in; a token that sleeps is woken.

    `limits` replaces the account's turns, `over` may listen to what is sent, `broker_clock` hears each Date,
    `side_by_side` asks several things at once where no thread may.
    Raises TokenDead, ConfigError, StoreDown.
    """
    desk, given = hand.desk, credentials_of(hand)
    authority = authority_of(hand, hand.open_vault(), given.token)

    def wake(_asked_at: datetime) -> bool:
        authority.renew()
        return True

    turns = AccountTurns(store=desk.store, clock=desk.clock, chance=desk.chance, journal=desk.journal)
    broker = EtradeBroker(
        credentials=lambda: given, sandbox=hand.sandbox, clock=desk.clock, chance=desk.chance, journal=desk.journal,
        limits=limits or Limits(clock=desk.clock, role=Role.PLACEMENT, turns=turns),
        side_by_side=side_by_side or Threads(desk.clock), caller=desk.actor, purpose=Purpose.ENTER,
        http=ReadsAlone(over(hand.http() if hand.http else DeadlineAdapter(connections=2))),
        mend=wake, broker_clock=broker_clock,
    )  # fmt: skip
    return Reads(
        accounts=broker.accounts, balance=broker.balance, portfolio=broker.portfolio,
        quotes=broker.quotes,
        preview=broker.preview, orders=lambda key, since: broker.orders(key, since=since),
    )  # fmt: skip
