"""The halt link of a notice: one tap and a confirmation ask for a halt, and nothing else can come of it."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Response

from shared.domain.control.control import TradingState
from shared.domain.telling.messages import HaltAsked
from shared.domain.telling.notices import ForeignOrder, Notice, PositionUnprotected
from shared.errors import StoreDown
from shared.pages import HALT_REFUSED, NOT_ASKED, REFUSED
from shared.pages.halting import AT_MOST_EVERY, TOPIC
from shared.pages.keys import ASKED_AGAIN
from shared.ports import Put
from shared.topology import HALT_KEY, SIGN_IN_KEY, TOPOLOGY, Right
from shared.usecases.base.desk import put
from shared.usecases.base.links import HALT, HALT_LINK_LIFE, SIGN_IN, LinkKey, halt_page
from shared.usecases.base.outbox import pack, unpack
from shared.usecases.control import control
from shared.usecases.telling.deliver import HALT_WORDS, Links, deliver
from tests.doors.fakes import NOW, Hands, ListBus
from tests.doors.sign_in_world import KEY, KEY_OF_HALTS, NAME, OPERATOR, PAGE, SignInWorld
from tests.doors.test_deliver import ListNotifier

_URGENT = PositionUnprotected(position_id="P1", symbol="IBM", quantity=10, since=NOW, at=NOW)
_CALM = ForeignOrder(symbol="IBM", session=NOW.date(), at=NOW)


def _link(
    world: SignInWorld, *, key: bytes = KEY_OF_HALTS, operator: str = OPERATOR, purpose: str = HALT
) -> str:  # fmt: skip
    """Mint a link as `notify` does."""
    minted = LinkKey(operator=operator, value=key, purpose=purpose)
    return minted.mint(world.chance, now=world.kernel.now(), lasts=HALT_LINK_LIFE, page=halt_page(PAGE))


def _confirm(world: SignInWorld, link: str) -> Response:
    """Press the button of the page that a link leads to."""
    return world.post("/halt", {"link": link.partition("#")[2]})


def _asked(bus: ListBus) -> list[object]:
    return [unpack(one.data) for one in bus.sent if one.topic == TOPIC]


def test_one_tap_and_a_confirmation_ask_for_a_halt() -> None:
    """A genuine link publishes one message that asks for a halt, and the page says what happens and how to check."""
    world = SignInWorld()
    link = _link(world)
    answer = _confirm(world, link)
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    for part in ("Trading is HALTED", "strategy status", "strategy halt", "within a minute", "E*TRADE"):
        assert part in page
    (asked,) = _asked(world.bus)
    assert isinstance(asked, HaltAsked)
    assert link.rpartition(".")[2] not in json.dumps(world.journal.lines)
    assert world.store.query("links") == []


def test_to_look_changes_nothing() -> None:
    """Whoever opens a link in advance, a program too, asks for nothing, and everybody sees the same page."""
    world = SignInWorld()
    pages = {world.get("/halt").get_data(), world.get(f"/halt?link={_link(world).partition('#')[2]}").get_data()}
    assert (len(pages), world.bus.sent) == (1, [])


def test_the_pages_name_the_system() -> None:
    """Who has several systems reads before the button, and after it, which of them halts."""
    world = SignInWorld()
    asked = world.get("/halt").get_data(as_text=True), _confirm(world, _link(world)).get_data(as_text=True)
    assert all(f"<b>{NAME}</b>" in page for page in asked)


@pytest.mark.parametrize(
    "what",
    [
        "another key", "another operator", "too old", "changed", "a sign-in link", "a sign-in link by the key of halts",
        "a halt link by the key of sign-ins", "nothing",
    ],
)  # fmt: skip
def test_what_is_not_genuine_gets_one_sentence(what: str) -> None:
    """A forged, foreign, old, changed or missing link, and one for another purpose, ask for nothing."""
    world = SignInWorld()
    links = {
        "another key": _link(world, key=KEY_OF_HALTS[::-1]), "another operator": _link(world, operator="somebody"),
        "too old": _link(world), "changed": _link(world)[:-2] + "xx", "a sign-in link": world.link(), "nothing": "",
        "a sign-in link by the key of halts": world.link(key=KEY_OF_HALTS),
        "a halt link by the key of sign-ins": _link(world, key=KEY),
    }  # fmt: skip
    if what == "too old":
        world.kernel.run(world.kernel.now() + HALT_LINK_LIFE)
    answer = _confirm(world, links[what])
    assert (answer.status_code, HALT_REFUSED in answer.get_data(as_text=True)) == (400, True)
    assert _asked(world.bus) == []


@pytest.mark.parametrize(("key", "purpose"), [(KEY_OF_HALTS, HALT), (KEY, HALT), (KEY_OF_HALTS, SIGN_IN)])
def test_a_halt_link_signs_nobody_in(key: bytes, purpose: str) -> None:
    """The start page takes no halt link, nor one that needs the key of halts or the other purpose to be made."""
    world = SignInWorld()
    link = _link(world, key=key, purpose=purpose)
    answer = world.post("/start", {"link": link.partition("#")[2]})
    assert (answer.status_code, REFUSED in answer.get_data(as_text=True)) == (400, True)
    assert world.store.query("flows") == []


def test_with_one_key_for_both_whoever_mints_halts_could_sign_in() -> None:
    """Where the page's sign-ins take the key of halts, a link made with that key signs in: the test above can fail."""
    world = SignInWorld()
    world.vault.add(SIGN_IN_KEY, KEY_OF_HALTS)
    link = _link(world, purpose=SIGN_IN)
    assert world.post("/start", {"link": link.partition("#")[2]}).status_code == 200


def test_a_link_is_good_again_and_makes_no_flood() -> None:
    """One link asks once in some seconds however often it is tapped, then again, and another link at once."""
    world = SignInWorld()
    first, second = _link(world), _link(world)
    assert {_confirm(world, first).status_code for _ in range(20)} == {200}
    assert len(_asked(world.bus)) == 1
    assert _confirm(world, second).status_code == 200
    world.kernel.run(world.kernel.now() + AT_MOST_EVERY)
    assert _confirm(world, first).status_code == 200
    assert len(_asked(world.bus)) == 3


def test_forged_links_are_bounded() -> None:
    """A flood of forged links is refused without a write each, and the owner's own link works through it."""
    world = SignInWorld()
    codes = [_confirm(world, "").status_code for _ in range(40)]
    assert set(codes) == {400}
    assert _confirm(world, _link(world)).status_code == 200


class _Dead(SignInWorld):
    """A world whose store answers nothing."""

    def die(self) -> None:
        """Let every document be out of reach."""

        def fail(*_: object, **__: object) -> None:
            raise StoreDown("gone")

        for name in ("get", "query", "commit"):
            setattr(self.store, name, fail)


def test_a_halt_is_asked_for_while_the_store_is_down() -> None:
    """The way from the link to the message needs no document."""
    world = _Dead()
    world.die()
    assert _confirm(world, _link(world)).status_code == 200
    assert len(_asked(world.bus)) == 1


def test_a_halt_that_cannot_be_asked_for_says_so() -> None:
    """While the bus or the vault is down the page says that nothing was changed and what to do, and later it works."""
    world = SignInWorld()
    link = _link(world)
    world.vault.broken = {"versions": StoreDown("gone")}
    answer = _confirm(world, link)
    assert (answer.status_code, NOT_ASKED in answer.get_data(as_text=True)) == (503, True)
    world.vault.broken, world.bus.down = {}, True
    world.kernel.run(world.kernel.now() + ASKED_AGAIN)
    assert _confirm(world, link).status_code == 503
    world.bus.down = False
    assert _confirm(world, link).status_code == 200
    assert len(_asked(world.bus)) == 1


def test_the_page_has_no_right_on_the_trading_state() -> None:
    """Whoever takes over the public page can ask for a halt: it can read and write no trading state."""
    page = TOPOLOGY.function("oauth_callback")
    assert "control" not in page.collections
    assert TOPIC in page.publishes
    assert [one.name for one in TOPOLOGY.functions if TOPIC in one.publishes] == ["oauth_callback"]
    takers = [one.name for one in TOPOLOGY.functions if TOPIC in {sub.topic for sub in one.subscriptions}]
    assert takers == ["order_settlement"]
    holders = {one.name: one.secrets[HALT_KEY] for one in TOPOLOGY.functions if HALT_KEY in one.secrets}
    assert holders == {"oauth_callback": Right.READ, "notify": Right.READ}


@pytest.mark.parametrize("before", [None, *TradingState])
def test_what_was_asked_for_is_done_once(before: TradingState | None) -> None:
    """Whatever was in force, readable or not, it is HALTED by link, told once, and a second message changes nothing."""
    hands = Hands()
    desk = hands.desk("order_settlement")
    if before is None:
        hands.store.commit([Put(control.PATH, {"state": "perhaps"})])
    else:
        control.command(desk, before, loosen=True, reason="before")
    for _ in range(2):
        control.halt_by_link(desk, HaltAsked(link="ab", at=NOW))
    held = control.current(desk).value
    halted = before is TradingState.HALTED
    assert (held.state, held.reason) == (TradingState.HALTED, "before" if halted else control.BY_LINK)
    told = [row.path for row in hands.store.query("outbox") if "trading_halted" in row.path]
    assert len(told) == 1


@pytest.mark.parametrize("before", TradingState)
def test_a_message_that_comes_again_halts_nothing_that_was_resumed(before: TradingState) -> None:
    """After a resume the same message does nothing, even if it found a halt in force; what is asked for anew halts."""
    hands = Hands()
    desk = hands.desk("order_settlement")
    control.command(desk, before, loosen=True, reason="before")
    asked = HaltAsked(link="ab", at=NOW)
    control.halt_by_link(desk, asked)
    control.command(desk, TradingState.ACTIVE, loosen=True, reason="looked at")
    control.halt_by_link(desk, asked)
    assert control.current(desk).value.state is TradingState.ACTIVE
    again = (replace(asked, link="cd"), replace(asked, at=NOW + timedelta(seconds=5)))
    for new in again:
        control.halt_by_link(desk, new)
        assert control.current(desk).value.reason == control.BY_LINK
        control.command(desk, TradingState.ACTIVE, loosen=True, reason="looked at")
    for old in (asked, *again):
        control.halt_by_link(desk, old)
    assert control.current(desk).value.state is TradingState.ACTIVE


def test_a_book_that_forgets_what_was_asked_for_would_halt_again() -> None:
    """Without what the trading state remembers a message that comes again halts: the test above can fail."""
    hands = Hands()
    desk = hands.desk("order_settlement")
    asked = HaltAsked(link="ab", at=NOW)
    control.halt_by_link(desk, asked)
    resumed = control.command(desk, TradingState.ACTIVE, loosen=True, reason="looked at")
    hands.store.commit([put(control.PATH, replace(resumed, asked=()))])
    control.halt_by_link(desk, asked)
    assert control.current(desk).value.state is TradingState.HALTED


def _links(hands: Hands, page: str = PAGE) -> Links:
    return Links(desk=hands.desk("notify"), vault=hands.vault, operator=OPERATOR, page=page)


def test_each_urgent_notice_carries_its_own_link() -> None:
    """What is urgent ends with a link that halts, a new one each time, and no document and no line holds it."""
    hands, notifier = Hands(), ListNotifier()
    hands.vault.add(HALT_KEY, KEY_OF_HALTS)
    links = _links(hands)
    notices: list[Notice] = [_URGENT, replace(_URGENT, since=NOW - timedelta(minutes=1)), _CALM]
    for notice in notices:
        deliver(hands.desk("notify"), notifier, notice, links=links)
    sent = [text.partition(f"{HALT_WORDS}\n")[2] for _, text, _ in notifier.sent]
    assert sent[2] == ""
    assert len(set(sent)) == len(notices)
    key = LinkKey(operator=OPERATOR, value=KEY_OF_HALTS, purpose=HALT)
    for link in sent[:2]:
        assert link.startswith("https://example.com/halt#")
        found = key.check(link, NOW)
        assert found is not None
        assert found.expires_at == NOW + HALT_LINK_LIFE
        kept = json.dumps([hands.journal.lines, [row.data for row in hands.store.query("notices")]], default=str)
        assert link.rpartition(".")[2] not in kept


@pytest.mark.parametrize("what", ["no page", "no key", "a short key", "a vault that is down"])
def test_no_notice_waits_for_a_link(what: str) -> None:
    """Where no link can be made the notice is told without one."""
    hands, notifier = Hands(), ListNotifier()
    if what != "no key":
        hands.vault.add(HALT_KEY, b"short" if what == "a short key" else KEY_OF_HALTS)
    if what == "a vault that is down":
        hands.vault.broken = {"versions": StoreDown("gone")}
    deliver(hands.desk("notify"), notifier, _URGENT, links=_links(hands, "" if what == "no page" else PAGE))
    ((_, text, urgent),) = notifier.sent
    assert (HALT_WORDS in text, urgent) == (False, True)


def test_the_message_travels() -> None:
    """What asks for a halt is read back as it was written."""
    asked = HaltAsked(link="ab", at=NOW)
    assert unpack(pack(asked)) == asked
