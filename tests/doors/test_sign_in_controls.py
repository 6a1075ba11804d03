"""Every control of the sign-in holds, and a variant without it is found by the probe that looks for it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Request, Response

from infra.one_machine.memory_store import MemoryStore
from shared.domain.broker.brokerage import Account
from shared.domain.broker.tokens import AccessToken
from shared.pages import COOKIE, SignInPages
from shared.ports import Create, Delete, Document, Put, Update, Write
from shared.topology import ACCESS_TOKEN
from shared.usecases.base.desk import Held, put, read
from shared.usecases.base.links import Link
from shared.usecases.base.pins import Pinned
from shared.usecases.sign_in import flows, token
from shared.usecases.sign_in.authorize import Ending, Refused, SignIns
from shared.usecases.sign_in.end_day import clear
from shared.usecases.sign_in.renew import LEASE
from tests.doors import sign_in_probes as probes
from tests.doors.fakes import ListVault
from tests.doors.sign_in_world import Etrade, SignInWorld, back
from tests.doors.strangers import Eager, OneCount, Repeating, strangers

PROBES = {
    "1 link": probes.forged_links, "1 link at once": probes.same_link_at_once,
    "1 link ended": probes.ended_links, "2 cookie": probes.bad_cookies,
    "3 fixation": probes.fixations, "4 replay": probes.replays, "5-6 oddities": probes.oddities,
    "7 headers": probes.open_headers, "8 logs": probes.talkative_logs, "10 versions": probes.left_versions,
    "11 end": probes.ended_days, "12 renewals": probes.renewals, "26 errors": probes.plain_errors,
    "33 floods": probes.floods, "33 strangers": strangers, "account": probes.other_accounts,
}  # fmt: skip


class Forgetful(MemoryStore):
    """A store that keeps nothing of some collections and holds no writer to the version that it read."""

    forgets: tuple[str, ...] = ()
    blind: tuple[str, ...] = ()

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Commit, with the mistake."""
        kept: list[Write] = []
        for write in writes:
            name = write.path.partition("/")[0]
            if name in self.forgets:
                kept.append(Delete(write.path))
            elif name in self.blind and isinstance(write, Update | Create):
                kept.append(Put(write.path, write.data))
            else:
                kept.append(write)
        return super().commit(kept)


def forgetting(*names: str) -> type[MemoryStore]:
    """Give a store that forgets collections."""
    return type("Forgetting", (Forgetful,), {"forgets": names})


def blind_to(*names: str) -> type[MemoryStore]:
    """Give a store whose writers of collections overwrite each other."""
    return type("Blind", (Forgetful,), {"blind": names})


class LeaseLess(MemoryStore):
    """A store in which the lease of a renewal looks free."""

    def get(self, path: str) -> Document | None:
        """Read, without it."""
        return None if path == LEASE else super().get(path)

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Commit; a lease never stands in the way."""
        plain = [Put(one.path, one.data) if isinstance(one, Create) else one for one in writes]
        return super().commit(plain)


class AnyLink(SignInPages):
    """Pages that take any link for genuine."""

    def _link(self, text: str) -> Link | None:
        now = self.sign_ins.desk.clock.now()
        return Link(name=f"{abs(hash(text)):x}", made_at=now, expires_at=now + flows.AGAIN_LIFE)


class AnyBrowser(SignIns):
    """A sign-in that takes the newest flow for the one of any browser."""

    def _held(self, cookie: str) -> Held[flows.Flow] | None:
        rows = self.desk.store.query("flows")
        return read(self.desk.store, flows.Flow, rows[-1].path) if rows else None


class NoToken(SignInPages):
    """Pages that take a callback for the one of its browser's flow when it names no request token."""

    def _callback(self, request: Request) -> Response:
        asked = request.args
        if "oauth_token" in asked:
            return SignInPages._callback(self, request)
        held = self.sign_ins._held(request.cookies.get(COOKIE, ""))
        state = "" if held is None else held.value.state
        answer = self.sign_ins.finish(request.cookies.get(COOKIE, ""), state, asked.get("oauth_verifier", ""))
        return self._ended(request, answer)


class AlwaysBack(SignInPages):
    """Pages that have a callback where none is registered."""

    def _answer(self, request: Request) -> Response:
        return self._callback(request) if request.path == "/callback" else SignInPages._answer(self, request)


class BurntAtOnce(SignIns):
    """A sign-in whose flow is used up by whatever verifier comes first."""

    def _give_back(self, held: Held[flows.Flow]) -> None:
        """Keep it used up."""


class AnyTime(SignIns):
    """A sign-in that takes older links after another one."""

    def _overtaken(self, made_at: datetime) -> bool:
        return False


class AnyAccount(SignIns):
    """A sign-in that asks for no account."""

    def _admits(self, accounts: tuple[Account, ...]) -> bool:
        return True


class Chooses(SignIns):
    """A sign-in that begins whether or not an account is chosen."""

    def _pinned(self) -> Pinned:
        return Pinned(account_id="11112222", pin=None)


class AnyVerifier(SignIns):
    """A sign-in that sends on whatever came as verifier."""

    def finish(self, cookie: str, state: str, verifier: str, *, typed: bool = False) -> Ending:
        """Send it on."""
        held = self._held(cookie)
        return Refused(why="") if held is None else self._exchange(held, verifier, typed=typed)


class Late(SignIns):
    """A sign-in that takes an old flow."""

    def finish(self, cookie: str, state: str, verifier: str, *, typed: bool = False) -> Ending:
        """Give it new life first."""
        held = self._held(cookie)
        if held is not None:
            self.desk.store.commit([held.update(_younger(held.value, self))])
        return SignIns.finish(self, cookie, state, verifier, typed=typed)


def _younger(flow: flows.Flow, here: SignIns) -> flows.Flow:
    from dataclasses import replace

    return replace(flow, expires_at=here.desk.clock.now() + flows.FLOW_LIFE)


class Unsealed(SignInPages):
    """Pages that forget one header of each answer."""

    drops = "Content-Security-Policy"

    def __call__(self, request: Request) -> Response:
        """Answer without it."""
        answer = SignInPages.__call__(self, request)
        answer.headers.pop(self.drops, None)
        return answer


class PlainCookie(SignInPages):
    """Pages whose cookie scripts may read."""

    def __call__(self, request: Request) -> Response:
        """Answer with a weaker cookie."""
        answer = SignInPages.__call__(self, request)
        answer.headers["Set-Cookie"] = answer.headers.get("Set-Cookie", "").replace(" HttpOnly;", "")
        return answer


class Echo(SignInPages):
    """Pages that repeat the address that was asked for."""

    def __call__(self, request: Request) -> Response:
        """Answer with it."""
        answer = SignInPages.__call__(self, request)
        answer.set_data(answer.get_data(as_text=True) + request.full_path)
        return answer


class Redirecting(SignInPages):
    """Pages that go where the caller wants."""

    def __call__(self, request: Request) -> Response:
        """Answer with a redirect."""
        answer = SignInPages.__call__(self, request)
        answer.headers["Location"] = request.args.get("next", "/")
        return answer


class Logging(SignInPages):
    """Pages that log the address that was asked for."""

    def __call__(self, request: Request) -> Response:
        """Log, then answer."""
        self.sign_ins.desk.journal.line("asked", address=request.full_path, cookie=request.headers.get("Cookie"))
        return SignInPages.__call__(self, request)


class Frank(SignInPages):
    """Pages that say what went wrong inside."""

    def __call__(self, request: Request) -> Response:
        """Answer with the last line of the journal."""
        answer = SignInPages.__call__(self, request)
        lines = getattr(self.sign_ins.desk.journal, "lines", [])
        answer.set_data(answer.get_data(as_text=True) + repr(lines[-3:]))
        return answer


class HoardingVault(ListVault):
    """A vault that destroys nothing."""

    def destroy(self, secret: str, version: str) -> None:
        """Keep it."""


class Unrevoked(Etrade):
    """E*TRADE, never asked to revoke."""

    def revoke(self, token: AccessToken | None = None) -> None:
        """Do nothing."""


MISTAKES: list[tuple[str, dict[str, Any]]] = [
    ("1 link", {"pages": AnyLink}),
    ("1 link", {"store": forgetting("links")}),
    ("1 link", {"store": forgetting("sign_in", "outbox")}),
    ("1 link at once", {"store": blind_to("links")}),
    ("1 link ended", {"sign_ins": AnyTime}),
    ("2 cookie", {"pages": PlainCookie}),
    ("2 cookie", {"sign_ins": Late}),
    ("3 fixation", {"sign_ins": AnyBrowser}),
    ("3 fixation", {"sign_ins": AnyVerifier}),
    ("3 fixation", {"pages": NoToken}),
    ("3 fixation", {"pages": AlwaysBack}),
    ("3 fixation", {"sign_ins": BurntAtOnce}),
    ("4 replay", {"store": blind_to("flows")}),
    ("5-6 oddities", {"sign_ins": AnyVerifier}),
    ("5-6 oddities", {"pages": Echo}),
    ("7 headers", {"pages": Unsealed}),
    ("7 headers", {"pages": Redirecting}),
    ("8 logs", {"pages": Logging}),
    ("10 versions", {"vault": HoardingVault}),
    ("11 end", {"etrade": Unrevoked}),
    ("11 end", {"vault": HoardingVault}),
    ("12 renewals", {"store": LeaseLess}),
    ("26 errors", {"pages": Frank}),
    ("33 floods", {"store": forgetting("sign_in")}),
    ("33 floods", {"store": forgetting("outbox")}),
    ("33 floods", {"sign_ins": OneCount}),
    ("33 floods", {"sign_ins": Repeating}),
    ("account", {"sign_ins": AnyAccount}),
    ("account", {"sign_ins": Chooses}),
    ("33 strangers", {"pages": Eager}),
]


@pytest.mark.parametrize("name", PROBES)
def test_the_control_holds(name: str) -> None:
    """The attack that a control stands against finds nothing to do."""
    assert PROBES[name]() == []


@pytest.mark.parametrize(("name", "variant"), MISTAKES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_seeded_mistake_is_found(name: str, variant: dict[str, Any]) -> None:
    """A variant in which one control is missing is found by its probe."""
    assert PROBES[name](**variant) != []


def test_pages_that_trust_every_request_are_found_thrice() -> None:
    """Pages as they were cost calls for each forged request, answer some as a failure, and lose refusals in a crowd."""
    found = strangers(pages=Eager)
    for fault in ("calls of store and vault", "answered [400, 503]", "refusals are lost"):
        assert any(fault in one for one in found), found


def test_every_control_has_a_seeded_mistake() -> None:
    """No probe is without a variant that it finds."""
    assert {name for name, _ in MISTAKES} == set(PROBES)
    assert back("a+b", "C") == "/callback?oauth_token=a%2Bb&oauth_verifier=C"


INSTANTS_MS = range(0, 1_500, 20)
"""Of a clean-up, from when a code is brought until its token surely counts."""


def _sign_in(world: SignInWorld) -> None:
    cookie, name, verifier = world.begin()
    assert world.get(back(name, verifier), cookie).status_code == 200


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("after_ms", INSTANTS_MS)
def test_a_token_that_comes_outlives_a_clean_up(after_ms: int, before: bool) -> None:
    """Whenever a clean-up of the vault meets the owner's sign-in, the token that counts afterwards can be read."""
    world = SignInWorld()
    if before:
        _sign_in(world)
    cookie, name, verifier = world.begin()

    def clean_up() -> None:
        world.kernel.sleep(after_ms / 1000)
        clear(world.desk, world.timed_vault)

    world.together([lambda: world.get(back(name, verifier), cookie), clean_up])
    held = token.current(world.store)
    assert held is not None
    assert held.value.vault_version == world.usable()[-1] == str(1 + before)


class Overtaken(SignInWorld):
    """A world in which a clean-up comes at the worst moment: a token is in the vault, and no record points at it."""

    def begin(self, link: str | None = None) -> tuple[str, str, str]:
        """Begin, with the clean-up in wait."""
        add = self.vault.add

        def met(secret: str, value: bytes) -> str:
            version = add(secret, value)
            if secret == ACCESS_TOKEN:
                clear(self.desk, self.vault)
            return version

        self.vault.add = met  # type: ignore[method-assign]
        return super().begin(link)


class Unannounced(Overtaken):
    """The same, where no sign-in says that its token is coming."""

    def begin(self, link: str | None = None) -> tuple[str, str, str]:
        """Begin, and have that word forgotten."""
        commit = self.store.commit

        def forgets(writes: Sequence[Write]) -> tuple[str, ...]:
            return commit([write for write in writes if write.path != token.COMING])

        self.store.commit = forgets  # type: ignore[method-assign]
        return super().begin(link)


@pytest.mark.parametrize(("kind", "left"), [(Overtaken, ("1",)), (Unannounced, ())])
def test_a_clean_up_at_the_worst_moment_spares_what_is_coming(kind: type[SignInWorld], left: tuple[str, ...]) -> None:
    """A token that no record points at yet is spared for the word that it is coming, and without that word lost."""
    world = kind()
    _sign_in(world)
    assert world.usable() == left


def test_what_no_record_points_at_goes_while_a_token_lives() -> None:
    """Older tokens, and one that was stored twice because an answer was lost, are destroyed; the living one stays."""
    world = SignInWorld()
    world.vault.add(ACCESS_TOKEN, b"of yesterday")
    _sign_in(world)
    world.vault.add(ACCESS_TOKEN, b"stored twice")
    assert world.usable() == ("1", "2", "3")
    world.kernel.call(lambda: clear(world.desk, world.timed_vault), name="token_refresh")
    assert world.usable() == ("2",)


def test_a_token_that_never_came_is_cleaned_up() -> None:
    """What a sign-in that died has left in the vault is destroyed, once it can be at work no more."""
    world = SignInWorld()
    _, _, verifier = world.begin()
    world.store.commit([put(token.COMING, token.Coming(since=world.kernel.now()))])
    world.vault.add(ACCESS_TOKEN, verifier.encode())
    for later, left in ((token.COMES_WITHIN / 2, ("1",)), (token.COMES_WITHIN, ())):
        world.kernel.run(world.kernel.now() + later + timedelta(seconds=1))
        world.kernel.call(lambda: clear(world.desk, world.timed_vault), name="token_refresh")
        assert world.usable() == left
