"""A key alone over a simulated E*TRADE, in a time that only waiting moves: each call takes a tenth of a second."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from infra.brokersim.simulator import Simulator
from infra.one_machine.memory_store import MemoryStore
from infra.operations.key import credentials_of
from infra.operations.login import by_code_alone
from infra.operations.profiles import KEY_ALONE, Hand
from infra.simulated_day.owner import accept
from shared.codec import dumps
from shared.etrade.authority import EtradeAuthority
from shared.gcp.no_bus import NoBus
from shared.topology import CONSUMER
from shared.usecases.base.desk import Desk
from tests.doors.fakes import HandClock, Lines, ListVault
from tests.etrade.world import SeededChance
from tests.infra.brokersim.world import CONSUMER_KEY, CONSUMER_SECRET, NOON, SETTINGS, InProcess, quiet

TAKES_S = 0.1
NUMBERS = ("00000001", "00000002", "00000003")
ORDER_CALLS = ("place", "cancel")


class Slowly(BaseAdapter):
    """Lets each call take its time."""

    def __init__(self, way: BaseAdapter, clock: HandClock) -> None:
        super().__init__()
        self._way = way
        self._clock = clock

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Carry a request, and let half of its time pass before it is answered and half after."""
        self._clock.forward(TAKES_S / 2)
        response = self._way.send(request, *args, **kwargs)
        self._clock.forward(TAKES_S / 2)
        return response

    def close(self) -> None:
        """Hold nothing."""


class KeyHome:
    """An owner with a key and no system; `changes` are the simulator's settings."""

    def __init__(self, market: Any = None, **changes: Any) -> None:
        self.clock, self.store, self.vault = HandClock(NOON), MemoryStore(), ListVault()
        settings = replace(SETTINGS, **changes)
        self.simulator = Simulator(
            market=market or quiet("ZXAA", "ZXBB"), now=self.clock.now, settings=settings, seed=1
        )
        self.http = Slowly(InProcess(self.simulator), self.clock)
        self.journal = Lines()
        self.vault.add(CONSUMER, dumps({"key": CONSUMER_KEY, "secret": CONSUMER_SECRET}))

    def hand(self, **changes: Any) -> Hand:
        """Give the owner's hand."""
        desk = Desk(
            actor="owner", clock=self.clock, chance=SeededChance(), store=self.store, bus=NoBus(), journal=self.journal
        )
        given: dict[str, Any] = {
            "name": "key", "desk": desk, "open_vault": lambda: self.vault, "sign_in": None, "operator": KEY_ALONE,
            "running": False, "mode": None, "sandbox": False, "http": lambda: self.http,
        }  # fmt: skip
        return Hand(**(given | changes))

    def signed_in(self, **changes: Any) -> Hand:
        """Sign in as a person does, and give the hand."""
        hand = self.hand(**changes)
        by_code_alone(hand, lambda page: accept(page, self.http))
        self.clock.at += timedelta(seconds=2)
        return hand

    def end_token(self, hand: Hand) -> None:
        """End the token at E*TRADE alone, as its owner may there."""
        given = credentials_of(hand)
        EtradeAuthority(
            credentials=lambda: given, clock=self.clock, chance=SeededChance(7), journal=self.journal, caller="owner",
            http=self.http,
        ).revoke()  # fmt: skip

    def calls(self) -> Mapping[str, int]:
        """Tell how often each endpoint was asked."""
        return self.simulator.ledger()["calls"]

    def nothing_was_placed(self) -> None:
        """Check that the simulator was never asked to place or cancel, and has no order."""
        ledger = self.simulator.ledger()
        assert [ledger["calls"][name] for name in ORDER_CALLS] == [0, 0]
        assert (ledger["orders"], ledger["place_requests"]) == ([], [])
