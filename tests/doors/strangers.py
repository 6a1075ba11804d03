"""What a stranger costs: forged posts over a world whose store and vault count, and pages as they were before.

`Eager` is the mistake that the page once was: it reads whatever comes for as long as it comes, publishes what waits and
asks the vault for the key at each request, and counts each refusal in the store. `OneCount` counts starts as it did.
"""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

from flask import Request

from infra.one_machine.memory_store import MemoryStore
from shared.pages import SignInPages
from shared.ports import Document, Where, Write
from shared.usecases.base.desk import read
from shared.usecases.base.links import Link, sign_in_key
from shared.usecases.base.outbox import drain
from shared.usecases.sign_in import flows, refusals
from shared.usecases.sign_in.authorize import NotPinned, Opened, Overtaken, Refused, SignIns, TooMany
from tests.doors.fakes import ListVault
from tests.doors.sign_in_world import SignInWorld

MOST_CALLS = 10
FORGED = 240
FORGED_COOKIE = f"{'A' * 43}.{'B' * 43}"


class CountedStore(MemoryStore):
    """A store that counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def get(self, path: str) -> Document | None:
        """Count, then read."""
        self.calls["get"] += 1
        return super().get(path)

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Count, then commit."""
        self.calls["commit"] += 1
        return super().commit(writes)

    def query(
        self, collection: str, *where: Where, order_by: str | None = None, limit: int | None = None
    ) -> list[Document]:
        """Count, then query."""
        self.calls["query"] += 1
        return super().query(collection, *where, order_by=order_by, limit=limit)


class CountedVault(ListVault):
    """A vault that counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def _mind(self, operation: str) -> None:
        self.calls[operation] += 1
        super()._mind(operation)


class Eager(SignInPages):
    """The pages as they were: whatever comes costs what a genuine link costs."""

    def _take(self, request: Request) -> None:
        """Leave the body to whoever reads it."""

    def _link(self, text: str) -> Link | None:
        sign_ins = self.sign_ins
        drain(sign_ins.desk)
        link = sign_in_key(sign_ins.vault, sign_ins.operator).genuine(text)
        if link is None:
            refusals.write(sign_ins.desk, 1)
        return link


class OneCount(SignIns):
    """A sign-in that counts the starts of the operator, and not those of a link."""

    def start(self, link: Link) -> Opened | Refused | Overtaken | TooMany | NotPinned:
        """Begin, while the operator has begins left."""
        begun = sum(int(row.data["starts"]) for row in self.desk.store.query("links"))
        return TooMany() if begun >= flows.MOST_STARTS else SignIns.start(self, link)


class Repeating(SignIns):
    """A sign-in that tells of a link that is used up as often as its browser tries."""

    def _tell_refused(self, flow: flows.Flow) -> None:
        self._tell(flow.link, flow.link_made_at, refused=True)


def forged_link(chance: random.Random) -> str:
    """Make up a link that has the form of one."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    nonce, signature = ("".join(chance.choices(letters, k=length)) for length in (22, 43))
    return f"2.{chance.randrange(10**15, 10**16)}.{chance.randrange(10**9, 10**10)}.{nonce}.{signature}"


def strangers(**variant: Any) -> list[str]:
    """Item 33 again: 240 forged links, cookies and halts at once cost ten calls, and each of them is counted."""
    world = SignInWorld(**({"store": CountedStore, "vault": CountedVault} | variant))
    assert isinstance(world.store, CountedStore)
    assert isinstance(world.vault, CountedVault)
    world.vault.calls.clear()
    chance = random.Random(5)
    asks = [
        lambda: world.post("/start", {"link": forged_link(chance)}),
        lambda: world.post("/start", {"link": "nonsense"}),
        lambda: world.post("/pin", {"state": "0" * 32, "pin": "AAAA"}, FORGED_COOKIE),
        lambda: world.post("/again", {}, FORGED_COOKIE),
        lambda: world.get("/callback?oauth_token=A&oauth_verifier=AAAA", FORGED_COOKIE),
        lambda: world.post("/halt", {"link": forged_link(chance)}),
    ]  # fmt: skip
    refused = [answer.status_code for answer in world.together(asks * (FORGED // len(asks)))]
    calls = world.store.calls.total() + world.vault.calls.total()
    found = [] if calls <= MOST_CALLS else [f"{calls} calls of store and vault for {FORGED} forged requests"]
    found += [] if refused == [400] * FORGED else [f"answered {sorted(set(refused))}"]
    found += [] if world.post("/start", {"link": world.link()}).status_code == 200 else ["the owner is kept out"]
    held = read(world.store, refusals.Refusals, refusals.PATH)
    return found + ([] if held is not None and held.value.total == FORGED else ["refusals are lost"])
