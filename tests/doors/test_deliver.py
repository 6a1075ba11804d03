"""Telling the owner: once per event, not too often per kind, again when nobody took it, and never a secret."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from shared.codec import decode
from shared.domain.base.calendar import NEW_YORK
from shared.domain.telling.notices import ForeignOrder, Notice, OrderUnknown, ScanSilent, event_of
from shared.domain.telling.pacing import MOST, WINDOW
from shared.domain.telling.sign_in_notices import SignInNeeded, SignInRefused
from shared.door import PushDoor
from shared.errors import StoreDown, Undelivered
from shared.ports import Put
from shared.usecases.base import outbox
from shared.usecases.telling.deliver import Links, Untold, deliver
from tests.doors.fakes import NOW, Hands, push, request

PAGE = "https://desk.example/start"
SIGNED = f"2.{'1' * 16}.{'2' * 10}.{'CANARY' + 16 * 'a'}.{'b' * 43}"
_UNKNOWN = OrderUnknown(intent_id="I1", symbol="IBM", side="BUY", quantity=10, at=NOW)
_REFUSED = SignInRefused(why="the link was used before", at=NOW)
_KEPT = ("notices", "untold", "paces", "dead_letters", "outbox")
_SIGN_IN = SignInNeeded(signed=SIGNED, minutes_to_open=60, occasion="2013-10-07:first", at=NOW)


def _nothing() -> None:
    """Let nothing happen."""


@dataclass(slots=True)
class ListNotifier:
    """The Notifier port as a list; while `down` nobody takes a notice, and after each that is taken comes `then`."""

    sent: list[tuple[str, str, bool]] = field(default_factory=list)
    down: bool = False
    addresses: int = 1
    then: Callable[[], object] = _nothing

    def tell(self, *, title: str, text: str, urgent: bool) -> int:
        """Keep one notice, or refuse."""
        if self.down:
            raise Undelivered("no address took the notice: 1 (ntfy did not take it)")
        self.sent.append((title, text, urgent))
        self.then()
        return self.addresses


def _door(hands: Hands, notifier: ListNotifier, page: str = "") -> PushDoor:
    desk = hands.desk("notify")
    links = Links(desk=desk, vault=hands.vault, operator="owner", page=page)
    kinds = (OrderUnknown, SignInRefused, SignInNeeded, ForeignOrder, ScanSilent)
    return PushDoor(
        desk=desk,
        handlers=dict.fromkeys(kinds, lambda _envelope, notice: deliver(desk, notifier, notice, links=links)),
    )


def _tell(hands: Hands, notifier: ListNotifier, notice: Notice, page: str = "") -> int:
    return _door(hands, notifier, page)(request(push(outbox.pack(notice))))[1]


def test_an_event_is_told_once() -> None:
    """A notice that is delivered three times is told, written down and journalled once, in the same words."""
    hands, notifier = Hands(), ListNotifier(addresses=2)
    assert [_tell(hands, notifier, _UNKNOWN) for _ in range(3)] == [204] * 3
    ((title, text, urgent),) = notifier.sent
    assert (title, urgent) == ("Order unknown: IBM", True)
    (row,) = hands.store.query("notices")
    assert row.path == f"notices/{event_of(_UNKNOWN)}"
    assert (row.data["addresses"], row.data["turn"], row.data["text"]) == (2, "TELL", text)
    (line,) = hands.journal.lines
    assert (line["event"], line["severity"], line["text"]) == ("notice", "WARNING", text)


def test_a_title_says_paper_first() -> None:
    """What stands before every title is sent, and the text says when it happened."""
    hands, notifier = Hands(), ListNotifier(addresses=1)
    deliver(hands.desk("notify"), notifier, _UNKNOWN, prefix="PAPER: ")
    ((title, text, _),) = notifier.sent
    assert title == "PAPER: Order unknown: IBM"
    assert text.endswith(f"({_UNKNOWN.at.astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S} ET)")


def test_no_address_means_the_journal() -> None:
    """Where no address is configured the notice is journalled with its text and counts as told."""
    hands, notifier = Hands(), ListNotifier(addresses=0)
    assert [_tell(hands, notifier, _REFUSED) for _ in range(2)] == [204] * 2
    (line,) = hands.journal.lines
    assert (line["event"], line["severity"], line["addresses"]) == ("notice", "INFO", 0)


def test_a_notice_that_nobody_took_comes_again() -> None:
    """While every address fails the message is refused and nothing is written; when one takes it, it is told once."""
    hands, notifier = Hands(), ListNotifier(down=True)
    assert [_tell(hands, notifier, _UNKNOWN) for _ in range(2)] == [503] * 2
    assert (hands.store.query("notices"), hands.store.query("paces")) == ([], [])
    assert hands.journal.events == ["notice_not_delivered", "again"] * 2
    notifier.down = False
    assert [_tell(hands, notifier, _UNKNOWN) for _ in range(2)] == [204] * 2
    assert len(notifier.sent) == 1


def test_what_nobody_took_is_written_down_until_somebody_does() -> None:
    """A notice without a taker is kept with its words, its tries and the last of them, and goes when it is told."""
    hands, notifier = Hands(), ListNotifier(down=True)
    for _ in range(3):
        hands.clock.forward(60)
        assert _tell(hands, notifier, _SIGN_IN) == 503
    (row,) = hands.store.query("untold")
    assert row.path == f"untold/{event_of(_SIGN_IN)}"
    assert (row.data["title"], row.data["tries"]) == ("Sign in to E*TRADE", 3)
    assert decode(Untold, row.data).tried_at == NOW + timedelta(seconds=180)
    notifier.down = False
    assert _tell(hands, notifier, _SIGN_IN) == 204
    assert hands.store.query("untold") == []
    (told,) = hands.store.query("notices")
    assert told.data["title"] == row.data["title"]


def test_a_store_that_fails_when_nobody_took_it_changes_nothing() -> None:
    """When it cannot be written down that nobody took a notice, it is journalled and comes again all the same."""
    hands, notifier = Hands(), ListNotifier(down=True)
    hands.store.mood, hands.store.at = StoreDown("gone"), frozenset({"untold"})
    assert _tell(hands, notifier, _UNKNOWN) == 503
    assert hands.journal.events == ["notice_not_delivered", "again"]


def test_what_lasts_is_untold_since_it_began() -> None:
    """One event that is announced again and again is not delivered since the first of its notices."""
    hands, notifier = Hands(), ListNotifier(down=True)
    for minutes in range(3):
        assert _tell(hands, notifier, ScanSilent(since=NOW, at=NOW + timedelta(minutes=5 + minutes))) == 503
    (row,) = hands.store.query("untold")
    assert (decode(Untold, row.data).happened_at, row.data["tries"]) == (NOW + timedelta(minutes=5), 3)


def test_a_damaged_note_of_what_nobody_took_loses_no_notice() -> None:
    """A note that cannot be read leaves its notice to come again, and to be told."""
    hands, notifier = Hands(), ListNotifier(down=True)
    hands.store.commit([Put(f"untold/{event_of(_UNKNOWN)}", {"kind": 1})])
    assert _tell(hands, notifier, _UNKNOWN) == 503
    notifier.down = False
    assert _tell(hands, notifier, _UNKNOWN) == 204
    assert (len(notifier.sent), hands.store.query("untold")) == (1, [])


def test_a_death_between_sending_and_writing_tells_twice() -> None:
    """When what was told could not be written down the message comes again: it is told twice, and never not at all."""
    hands = Hands()

    def die() -> None:
        hands.store.mood, hands.store.at = StoreDown("gone"), frozenset({"notices"})

    notifier = ListNotifier(then=die)
    assert _tell(hands, notifier, _REFUSED) == 503
    hands.store.mood, notifier.then = None, _nothing
    assert (len(notifier.sent), hands.store.query("notices"), hands.store.query("paces")) == (1, [], [])
    assert [_tell(hands, notifier, _REFUSED) for _ in range(2)] == [204] * 2
    assert len(notifier.sent) == 2
    assert len(hands.store.query("notices")) == 1


def test_a_store_that_is_down_sends_nothing() -> None:
    """When it cannot be seen whether a notice was told, nothing is sent and the message comes again."""
    hands, notifier = Hands(), ListNotifier()
    for name in ("notices", "paces"):
        hands.store.mood, hands.store.at = StoreDown("gone"), frozenset({name})
        assert _tell(hands, notifier, _REFUSED) == 503
    assert notifier.sent == []


def test_a_poison_notice_is_put_aside() -> None:
    """A notice that cannot be read becomes a dead letter at once and keeps no other from being told."""
    hands, notifier = Hands(), ListNotifier()
    door = _door(hands, notifier)
    plain = json.loads(outbox.pack(_UNKNOWN))
    for poison in (b"nonsense", json.dumps({**plain, "body": {**plain["body"], "more": 1}}).encode()):
        assert door(request(push(poison))) == ("", 204)
    assert [letter["function"] for letter in hands.letters()] == ["notify"] * 2
    assert _tell(hands, notifier, _UNKNOWN) == 204
    assert len(notifier.sent) == 1


def _flood(hands: Hands, notifier: ListNotifier, notice: Notice, count: int) -> None:
    for number in range(count):
        assert _tell(hands, notifier, replace(notice, at=NOW + timedelta(seconds=number))) == 204
        hands.clock.forward(1)


def test_a_flood_of_one_kind_is_held_back() -> None:
    """Of many refused sign-ins a few are told, one says that there are more, and all of them are in the journal."""
    hands, notifier = Hands(), ListNotifier()
    _flood(hands, notifier, _REFUSED, 50)
    assert len(notifier.sent) == MOST + 1
    assert ["There are many" in text for _, text, _ in notifier.sent] == [*[False] * MOST, True]
    assert hands.journal.events == ["notice"] * 50
    assert [row.data["turn"] for row in hands.store.query("notices")].count("HOLD") == 50 - MOST - 1
    hands.clock.forward(WINDOW.total_seconds())
    assert _tell(hands, notifier, replace(_REFUSED, at=hands.clock.now())) == 204
    assert f"Held back before this one: {50 - MOST - 1}." in notifier.sent[-1][1]


def test_a_flood_of_one_kind_holds_back_no_other() -> None:
    """While refused sign-ins are held back, an order that is not ours is told."""
    hands, notifier = Hands(), ListNotifier()
    _flood(hands, notifier, _REFUSED, 20)
    assert _tell(hands, notifier, ForeignOrder(symbol="IBM", session=NOW.date(), at=NOW)) == 204
    assert notifier.sent[-1][0] == "An order that is not ours: IBM"


def test_what_is_urgent_is_never_held_back() -> None:
    """Fifty unknown orders in a minute are fifty messages."""
    hands, notifier = Hands(), ListNotifier()
    for number in range(50):
        _tell(hands, notifier, replace(_UNKNOWN, intent_id=f"I{number}"))
    assert len(notifier.sent) == 50
    assert hands.store.query("paces") == []


def test_the_link_goes_to_the_owner_only() -> None:
    """The link of a sign-in is in what is sent, and in no journal line, document or error, delivered or not."""
    hands, notifier = Hands(), ListNotifier(down=True)
    assert _tell(hands, notifier, _SIGN_IN, PAGE) == 503
    documents = [row.data for row in hands.store.query("untold")]
    notifier.down = False
    assert _tell(hands, notifier, _SIGN_IN, PAGE) == 204
    ((_, text, _),) = notifier.sent
    assert text.splitlines()[-1] == f"{PAGE}#{SIGNED}"
    documents += [row.data for name in _KEPT for row in hands.store.query(name)]
    assert "CANARY" not in json.dumps([documents, hands.journal.lines])
