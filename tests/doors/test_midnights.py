"""Five hundred days and nights, with both changes of the clocks: the token never outlives its day, and is never two."""

import random
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import partial

from infra.one_machine.history import MarketHistory
from shared.domain.base.calendar import instant, new_york_day, session_of
from shared.gcp.threads import Threads
from shared.ports import Put
from shared.topology import CONSUMER, TOPOLOGY
from shared.usecases.sign_in.flows import FLOW_LIFE
from shared.usecases.sign_in.refresh import Care, refresh
from shared.wiring import Platform
from shared.wiring.credentials import VaultCredentials
from shared.wiring.rooms import room
from tests.doors.sign_in_world import OPERATOR, SignInWorld, back

FIRST, DAYS = date(2025, 10, 20), 500
CARE = Care(operator=OPERATOR, has_page=True, remind_at=(time(8, 30), time(9, 15)), ends_at=time(18))
_ENVIRON = {"STRATEGY_WATCH_LIST": "AIG", "STRATEGY_CAPITAL_USD": "1000"}
SECOND = timedelta(seconds=1)


class Nights(SignInWorld):
    """The world of one token, and a function that reads with it."""

    def __init__(self, **variant: type[VaultCredentials]) -> None:
        super().__init__(start=instant(FIRST, time(0)))
        self.vault.add(CONSUMER, b'{"key":"k","secret":"s"}')
        platform = Platform(
            function=TOPOLOGY.function("market_scan"), environ=_ENVIRON, clock=self.desk.clock, chance=self.chance,
            side_by_side=Threads(self.desk.clock), store=self.desk.store, bus=self.bus,
            vault=self.timed_vault, journal=self.journal, history=MarketHistory({}),
        )  # fmt: skip
        self.credentials = variant.get("credentials", VaultCredentials)(platform, room(platform))
        self.reads = self.most = 0

    def until(self, at: datetime) -> None:
        """Let time pass."""
        self.kernel.run(max(at, self.kernel.now()))

    def read(self) -> None:
        """Sign a call as a function does; it arrives up to eight seconds later."""
        found = self.kernel.call(self.credentials, name="reader")
        if found.token is not None:
            self.reads += 1
            arrives = self.kernel.now() + 8 * SECOND
            if arrives >= self.etrade.living.get(found.token.token, arrives):
                self.etrade.calls["with a dead token"] += 1

    def tick(self) -> None:
        """Let a refresh tick come."""
        self.kernel.call(lambda: refresh(self.desk, self.etrade, self.timed_vault, CARE), name="refresh")
        self.most = max(self.most, len(self.usable()))
        self.read()

    def sign_in(self) -> None:
        """Let the owner sign in, as fast as only a test does."""
        cookie, request_token, verifier = self.begin()
        self.get(back(request_token, verifier), cookie)


def live(nights: Nights, days: int = DAYS) -> None:
    """Live so many days: sign in early, late, twice, over midnight or not at all; read all day and around midnight."""
    chance = random.Random(7)
    for number in range(days):
        day = FIRST + timedelta(days=number)
        clocks = chance.choice([["07:20"], ["07:20", "11:03"], ["12:00"], ["18:30"], [], ["23:20"], ["23:59:58"]])
        sign_ins = [instant(day, time.fromisoformat(clock)) for clock in clocks]
        ticks = [instant(day, time(hour, minute)) for hour in range(7, 19) for minute in (0, 20, 40)]
        midnight = instant(day + timedelta(days=1), time(0))
        reads = [
            midnight - timedelta(minutes=1),
            midnight - 31 * SECOND,
            midnight - 20 * SECOND,
            midnight - SECOND / 10,
        ]
        work: list[tuple[datetime, Callable[[], object]]] = [
            *((at, nights.sign_in) for at in sign_ins),
            *((at, nights.tick) for at in ticks),
        ]
        work += [(at, nights.read) for at in [*reads, midnight, midnight + SECOND, midnight + timedelta(minutes=30)]]
        if session_of(day) is not None and chance.random() < 0.7:
            seal = Put(f"seals/{day.isoformat()}", {"session": day.isoformat(), "heads": {}})
            work.append((instant(day, time(16, 5)), partial(nights.store.commit, [seal])))
        for at, what in sorted(work, key=lambda pair: pair[0]):
            nights.until(at)
            what()
        assert new_york_day(nights.kernel.now()) == day + timedelta(days=1)


def test_five_hundred_midnights() -> None:
    """Over 500 nights no call is signed with a dead token, no refresh leaves two, and each one's end is the day's."""
    nights = Nights()
    live(nights)
    assert nights.etrade.calls["with a dead token"] == 0
    assert nights.most == 1
    assert nights.reads > 5_000
    assert nights.etrade.calls["access_token"] > 400
    assert nights.etrade.calls["revoke"] > 250
    ended = [row for row in nights.journal.lines if row["event"] == "token_ended"]
    assert len(ended) == nights.etrade.calls["revoke"]


def test_a_token_asked_for_before_midnight_dies_with_that_day() -> None:
    """A sign-in whose answer comes after midnight leaves no token that is taken for one of the new day."""
    nights = Nights()
    nights.until(instant(FIRST, time(23, 59, 50)))
    cookie, request_token, verifier = nights.begin()
    nights.until(instant(FIRST, time(23, 59, 59)) + SECOND * 0.5)
    nights.etrade.takes_s = 3
    assert nights.get(back(request_token, verifier), cookie).status_code == 200
    nights.until(nights.kernel.now() + FLOW_LIFE)
    nights.read()
    assert nights.reads == 0


class Sleepy(VaultCredentials):
    """Credentials that keep a token as long as they have one."""

    def __call__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204 - the same as the real one's
        """Give what was known first."""
        return self._known or super().__call__()


def test_credentials_that_forget_the_clock_are_found() -> None:
    """A function that signs with what it knew yesterday is counted as a call with a dead token."""
    nights = Nights(credentials=Sleepy)
    live(nights, days=4)
    assert nights.etrade.calls["with a dead token"] > 0
