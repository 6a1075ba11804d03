"""The token's keeper: what it does in each state, whom it reminds when, and how a day ends."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from shared.codec import decode, dumps, encode
from shared.domain.base.calendar import instant
from shared.domain.base.values import Term
from shared.domain.broker.brokerage import Account
from shared.domain.broker.tokens import LIFE, AccessToken, RequestToken, TokenRecord, TokenState, issued, lost, stage_of
from shared.domain.orders.explain import WORDS
from shared.domain.orders.orders import Order, State
from shared.errors import BrokerError, DeskError, KeyRefused, NotSent, StoreDown, TokenDead
from shared.ports import Create, Put
from shared.topology import ACCESS_TOKEN, SIGN_IN_KEY
from shared.usecases.base.desk import put
from shared.usecases.base.links import LinkKey, is_signed_part
from shared.usecases.sign_in import token
from shared.usecases.sign_in.refresh import Care, refresh
from shared.usecases.sign_in.renew import renew
from tests.domain.made import order
from tests.doors.fakes import Hands, notices_of

DAY, SATURDAY, HOLIDAY = date(2026, 11, 23), date(2026, 11, 28), date(2026, 11, 26)
KEY = b"k" * 32
CARE = Care(operator="owner", has_page=True, remind_at=(time(8, 30), time(9, 15)), ends_at=time(18))


def at(clock: str, day: date = DAY) -> datetime:
    """Give an instant of a New York day."""
    return instant(day, time.fromisoformat(clock))


class Authority:
    """The Authority port: counts calls, and raises what it was told to."""

    def __init__(self, **trouble: DeskError) -> None:
        self.trouble = trouble
        self.calls: Counter[str] = Counter()

    def _asked(self, what: str) -> None:
        self.calls[what] += 1
        if what in self.trouble:
            raise self.trouble[what]

    def request_token(self) -> RequestToken:
        """Not asked here."""
        raise AssertionError

    def authorize_url(self, token: str) -> str:
        """Not asked here."""
        raise AssertionError

    def access_token(self, request: RequestToken, verifier: str) -> AccessToken:
        """Not asked here."""
        raise AssertionError

    def accounts(self, token: AccessToken) -> tuple[Account, ...]:
        """List none."""
        return ()

    def renew(self) -> None:
        """Count, and fail if told to."""
        self._asked("renew")

    def revoke(self, token: AccessToken | None = None) -> None:
        """Count, and fail if told to."""
        self._asked("revoke")


class Keeper:
    """The refresh over fakes, at an instant, with or without a token of this morning."""

    def __init__(self, now: datetime, *, signed_in: datetime | None, **trouble: DeskError) -> None:
        self.hands = Hands()
        self.hands.clock.at = now
        self.authority = Authority(**trouble)
        self.hands.vault.add(SIGN_IN_KEY, KEY)
        if signed_in is not None:
            version = self.hands.vault.add(ACCESS_TOKEN, dumps({"token": "t", "secret": "s"}))
            self.hands.store.commit([put(token.PATH, issued(version, signed_in))])

    def tick(self, now: datetime | None = None, care: Care = CARE) -> None:
        """Let a refresh tick come."""
        self.hands.clock.at = now or self.hands.clock.at
        refresh(self.hands.desk("token_refresh"), self.authority, self.hands.vault, care)

    def record(self) -> TokenRecord:
        """Give the token's record."""
        held = token.current(self.hands.store)
        assert held is not None
        return held.value

    def told(self) -> list[dict[str, Any]]:
        """Give the notices so far."""
        return notices_of(self.hands.store, self.hands.bus)

    def keep(self, **changes: Any) -> None:
        """Put an order of the session into the book."""
        made = replace(order(), session=DAY, updated_at=at("15:50"), **changes)
        self.hands.store.commit([Put(f"orders/{made.intent_id}", encode(made))])
        assert decode(Order, encode(made)) == made

    def seal(self) -> None:
        """Seal the session."""
        self.hands.store.commit([Create(f"seals/{DAY.isoformat()}", {"session": DAY.isoformat(), "heads": {}})])


@pytest.mark.parametrize(
    ("age", "state", "renewals", "events"),
    [
        (None, TokenState.MISSING, 0, []),
        (timedelta(minutes=24), TokenState.FRESH, 0, []),
        (timedelta(minutes=25), TokenState.RENEWABLE, 1, ["token_renewed"]),
        (timedelta(minutes=119), TokenState.RENEWABLE, 1, ["token_renewed"]),
        (timedelta(hours=2), TokenState.IDLE, 1, ["token_renewed"]),
        (timedelta(hours=9), TokenState.IDLE, 1, ["token_renewed"]),
        (timedelta(hours=17), TokenState.DEAD, 0, []),
    ],
)
def test_each_state_of_the_token(age: timedelta | None, state: TokenState, renewals: int, events: list[str]) -> None:
    """A fresh token is left, an ageing or idle one is renewed and stays the same, a dead one is destroyed."""
    begun = at("07:00")
    keeper = Keeper(begun + (age or timedelta(0)), signed_in=begun if age is not None else None)
    assert token.stage(keeper.hands.store, keeper.hands.clock.now()) is LIFE[state]
    keeper.tick()
    assert keeper.authority.calls["renew"] == renewals
    assert keeper.hands.journal.events == events
    assert keeper.hands.vault.versions(ACCESS_TOKEN) == (("1",) if LIFE[state].signs else ())
    if renewals:
        assert keeper.record() == replace(issued("1", begun), renewed_at=keeper.hands.clock.now())


def test_the_table_is_whole() -> None:
    """Each state has its row, a token either signs or needs the owner, and only one that signs is renewed."""
    assert set(LIFE) == set(TokenState)
    for stage in LIFE.values():
        assert stage.signs is not stage.signs_in
        assert not (stage.renews and stage.signs_in)


def test_a_record_that_lives_too_long_is_not_believed() -> None:
    """A token is dead for us just before the midnight after it was asked for, whatever its record says."""
    record = replace(issued("1", at("07:00")), dies_at=at("07:00") + timedelta(days=3))
    midnight = at("00:00", DAY + timedelta(days=1))
    assert stage_of(record, midnight - timedelta(seconds=31)).signs
    assert stage_of(record, midnight - timedelta(seconds=30)).state is TokenState.DEAD
    assert not lost(record, midnight - timedelta(seconds=30))
    assert not lost(record, midnight)


def test_a_token_that_cannot_be_woken_is_dead_and_told_at_once() -> None:
    """When E*TRADE no longer knows the token, it is destroyed, and the owner is told at once and then each hour."""
    keeper = Keeper(at("11:00"), signed_in=at("07:00"), renew=TokenDead("dead"))
    keeper.tick()
    assert stage_of(keeper.record(), keeper.hands.clock.now()).state is TokenState.DEAD
    assert keeper.hands.vault.versions(ACCESS_TOKEN) == ()
    (notice,) = keeper.told()
    assert (notice["kind"], notice["body"]["occasion"]) == ("sign_in_needed", "2026-11-23:lost-1-0")
    for minutes in range(5, 420, 5):
        keeper.tick(at("11:00") + timedelta(minutes=minutes))
    assert keeper.authority.calls["renew"] == 1
    assert [row["body"]["occasion"][16:] for row in keeper.told()] == ["1-0", "1-1", "1-2", "1-3", "1-4"]


@pytest.mark.parametrize("trouble", [NotSent("no route"), BrokerError("?"), KeyRefused("key")])
def test_a_renewal_that_fails_changes_nothing(trouble: DeskError) -> None:
    """An error of the broker leaves the record as it was and reaches the door, and the lease is free again."""
    keeper = Keeper(at("11:00"), signed_in=at("07:00"), renew=trouble)
    for calls in (1, 2):
        with pytest.raises(type(trouble)):
            keeper.tick()
        assert keeper.authority.calls["renew"] == calls
    assert keeper.record() == issued("1", at("07:00"))


def test_a_tick_destroys_what_no_record_points_at() -> None:
    """While a token lives a tick destroys every other version, but none while a sign-in may be under way."""
    keeper = Keeper(at("07:00"), signed_in=at("06:58"))
    keeper.hands.vault.add(ACCESS_TOKEN, b"of a sign-in that came to nothing")
    keeper.hands.store.commit([put(token.COMING, token.Coming(since=at("06:59")))])
    keeper.tick()
    assert keeper.hands.vault.versions(ACCESS_TOKEN) == ("1", "2")
    keeper.tick(at("07:05"))
    assert keeper.hands.vault.versions(ACCESS_TOKEN) == ("1",)
    assert keeper.record().vault_version == "1"


def test_a_renewal_that_somebody_made_already_is_enough() -> None:
    """Whoever hears a refusal late finds the token renewed since and does not renew it again."""
    keeper = Keeper(at("11:00"), signed_in=at("07:00"))
    desk = keeper.hands.desk("market_scan")
    assert renew(desk, keeper.authority, asked_at=at("10:59"))
    assert renew(desk, keeper.authority, asked_at=at("10:59"))
    assert keeper.authority.calls["renew"] == 1
    assert not renew(Keeper(at("11:00"), signed_in=None).hands.desk(), keeper.authority, asked_at=at("11:00"))


def test_the_owner_is_reminded_before_the_open_and_at_it() -> None:
    """Without a token the owner hears at 08:30, at 09:15 and at the open, each once, with what makes a link."""
    keeper = Keeper(at("07:00"), signed_in=None)
    heard: list[tuple[str, int]] = []
    for minutes in range(0, 660, 5):
        now, before = at("07:00") + timedelta(minutes=minutes), len(keeper.told())
        keeper.tick(now)
        new = [row for row in keeper.told() if row["body"]["at"] == now.isoformat().replace("+00:00", "Z")]
        assert len(keeper.told()) - before == len(new)
        heard += [(row["body"]["occasion"].partition(":")[2], row["body"]["minutes_to_open"]) for row in new]
        for row in new:
            signed = row["body"]["signed"]
            assert is_signed_part(signed)
            key = LinkKey(operator="owner", value=KEY)
            assert key.check(signed, now) is not None
            assert key.check(signed, now + timedelta(hours=1)) is None
            assert signed not in repr(keeper.hands.journal.lines)
    assert heard == [("08:30", 60), ("09:15", 15), ("open", 0)]


def test_a_late_tick_reminds_once() -> None:
    """After an outage the latest reminder is told and the ones before it are not."""
    keeper = Keeper(at("09:20"), signed_in=None)
    keeper.tick()
    keeper.tick(at("09:25"))
    assert [row["body"]["occasion"] for row in keeper.told()] == ["2026-11-23:09:15"]


@pytest.mark.parametrize(
    ("clock", "day"),
    [("08:25", DAY), ("10:00", SATURDAY), ("10:00", HOLIDAY), ("16:00", DAY), ("13:00", date(2026, 11, 27))],
)
def test_nobody_is_reminded_for_nothing(clock: str, day: date) -> None:
    """Before the first hour, on days of rest and after the close nobody is asked to sign in."""
    keeper = Keeper(at(clock, day), signed_in=None)
    keeper.tick()
    assert keeper.told() == []


def test_without_an_address_or_with_other_hours_the_owner_is_reminded_all_the_same() -> None:
    """Without a page the notice has no link, and the hours are the owner's."""
    keeper = Keeper(at("07:45"), signed_in=None)
    keeper.tick(care=replace(CARE, has_page=False, remind_at=(time(7, 45),)))
    (notice,) = keeper.told()
    assert (notice["body"]["signed"], notice["body"]["occasion"]) == ("", "2026-11-23:07:45")


def test_a_second_loss_is_told_again() -> None:
    """A token that came after a loss and is lost as well is a new loss."""
    keeper = Keeper(at("11:00"), signed_in=at("07:00"), renew=TokenDead("dead"))
    keeper.tick()
    version = keeper.hands.vault.add(ACCESS_TOKEN, dumps({"token": "t2", "secret": "s"}))
    keeper.hands.store.commit([put(token.PATH, issued(version, at("11:10")))])
    keeper.tick(at("12:00"))
    assert [row["body"]["occasion"][11:] for row in keeper.told()] == ["lost-1-0", "lost-2-0"]


def test_a_settled_day_ends_its_token() -> None:
    """After the seal a quiet session's token is revoked, dead in the record and destroyed, and nobody is troubled."""
    keeper = Keeper(at("16:10"), signed_in=at("16:00"))
    keeper.keep(state=State.FILLED, live=False)
    keeper.keep(intent_id="a-stop", state=State.WORKING, live=True, term=Term.GOOD_UNTIL_CANCEL)
    keeper.tick(at("16:04"))
    assert keeper.authority.calls["revoke"] == 0
    keeper.seal()
    keeper.tick(at("16:10"))
    assert keeper.authority.calls["revoke"] == 1
    assert keeper.hands.vault.versions(ACCESS_TOKEN) == ()
    assert keeper.record().ended_at == at("16:10")
    assert keeper.told() == []
    for minutes in range(5, 120, 5):
        keeper.tick(at("16:10") + timedelta(minutes=minutes))
    assert keeper.authority.calls == {"revoke": 1}
    assert keeper.told() == []


@pytest.mark.parametrize(
    "left",
    [
        {"state": State.UNKNOWN, "live": True},
        {"state": State.MANUAL, "live": True},
        {"state": State.WORKING, "live": True, "term": Term.GOOD_FOR_DAY},
        {"state": State.CANCEL_REQ, "live": True, "term": Term.GOOD_UNTIL_CANCEL},
    ],
    ids=lambda left: str(left["state"]),
)
def test_what_stays_open_keeps_the_token_until_the_evening(left: dict[str, Any]) -> None:
    """An order that nobody knows, or a day order that works, keeps the token until 18:00; then the owner is told."""
    keeper = Keeper(at("16:10"), signed_in=at("16:00"))
    keeper.keep(**left)
    keeper.seal()
    keeper.tick(at("17:55"))
    assert keeper.authority.calls["revoke"] == 0
    keeper.tick(at("18:00"))
    assert keeper.authority.calls["revoke"] == 1
    (notice,) = keeper.told()
    assert notice["kind"] == "token_ended"
    assert WORDS[State(str(left["state"]))] in notice["body"]["left_open"][0]


def test_a_document_that_cannot_be_read_is_left_open() -> None:
    """An order that cannot be read keeps the token until the evening and is named then, and no tick is lost to it."""
    keeper = Keeper(at("16:10"), signed_in=at("16:00"))
    keeper.hands.store.commit([Put("orders/odd", {"live": True, "session": DAY.isoformat()})])
    keeper.seal()
    keeper.tick(at("17:55"))
    assert keeper.authority.calls["revoke"] == 0
    keeper.tick(at("18:00"))
    (notice,) = keeper.told()
    assert notice["body"]["left_open"] == ["a document that cannot be read"]


@pytest.mark.parametrize("left", [{"state": State.NOT_PLACED}, {"state": State.CANCELLED, "updated_at": at("16:00")}])
def test_late_fills_are_waited_for(left: dict[str, Any]) -> None:
    """While settlement may still look for the fills of an order the token stays."""
    keeper = Keeper(at("16:10"), signed_in=at("16:00"))
    keeper.hands.store.commit([Put("orders/x", encode(replace(order(), session=DAY, live=False, **left)))])
    keeper.seal()
    keeper.tick(at("16:14"))
    assert keeper.authority.calls["revoke"] == 0


@pytest.mark.parametrize("day", [SATURDAY, HOLIDAY])
def test_a_token_of_a_day_of_rest_ends_in_the_evening(day: date) -> None:
    """A token that came on a day without a session is ended at 18:00, too."""
    keeper = Keeper(at("17:55", day), signed_in=at("17:50", day))
    keeper.tick()
    assert keeper.authority.calls["revoke"] == 0
    keeper.tick(at("18:00", day))
    assert keeper.authority.calls["revoke"] == 1


@pytest.mark.parametrize("broken", ["revoke", "destroy", "commit"])
def test_an_end_that_fails_is_made_at_the_next_tick(broken: str) -> None:
    """Whatever fails while the day ends, the next tick brings it to its end."""
    keeper = Keeper(at("18:00"), signed_in=at("17:40"))
    if broken == "revoke":
        keeper.authority.trouble["revoke"] = NotSent("no route")
    elif broken == "destroy":
        keeper.hands.vault.broken["destroy"] = StoreDown("down")
    else:
        keeper.hands.store.mood, keeper.hands.store.at = StoreDown("down"), frozenset({"token"})
    if broken == "destroy":
        keeper.tick()
    else:
        with pytest.raises(DeskError):
            keeper.tick()
    keeper.authority.trouble.clear()
    keeper.hands.vault.broken.clear()
    keeper.hands.store.mood = None
    keeper.tick(at("18:05"))
    assert keeper.record().ended_at is not None
    assert keeper.hands.vault.versions(ACCESS_TOKEN) == ()
    assert keeper.hands.clock.now() == datetime(2026, 11, 23, 23, 5, tzinfo=UTC)
