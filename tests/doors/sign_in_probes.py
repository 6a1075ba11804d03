"""One probe for each control of a sign-in (order-safety.md 4): it attacks a world and names what worked and must not.

The same probe runs over the real parts, where it must name nothing, and over a variant with one mistake in it.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Response

from shared.errors import (
    BrokerError,
    ConfigError,
    Conflict,
    DeskError,
    InvariantBroken,
    KeyRefused,
    NotSent,
    StoreDown,
    TokenDead,
)  # fmt: skip
from shared.pages import (
    EXPIRED,
    FAILED,
    HEADERS,
    LINK_EXPIRED,
    NOT_PINNED,
    OTHER_ACCOUNT,
    OVERTAKEN,
    REFUSED,
    TOO_MANY,
    UNREACHABLE,
    WRONG_CODE,
)
from shared.topology import REQUEST_TOKEN
from shared.usecases.base.desk import read
from shared.usecases.sign_in.end_day import Evening, clear, end_day
from shared.usecases.sign_in.flows import state_of
from shared.usecases.sign_in.refusals import PATH, Refusals
from shared.usecases.sign_in.renew import renew
from shared.usecases.sign_in.token import current
from tests.doors.sign_in_world import THEIRS, SignInWorld, back, cookie_of

Probe = Callable[..., list[str]]
CANARY = "zq7canary"
_ERRORS: tuple[type[DeskError], ...] = (
    StoreDown, NotSent, BrokerError, TokenDead, KeyRefused, InvariantBroken, Conflict, ConfigError,
)  # fmt: skip


def is_refused(answer: Response) -> bool:
    """Tell whether an answer is the constant sentence."""
    return says(answer, REFUSED)


def says(answer: Response, sentence: str) -> bool:
    """Tell whether an answer refuses with a sentence."""
    return answer.status_code in {400, 429} and sentence in answer.get_data(as_text=True)


def forged_links(**variant: Any) -> list[str]:
    """Item 1: twelve forged or stale links start nothing, ask E*TRADE nothing, and are told to the owner."""
    world = SignInWorld(**variant)
    good = world.link()
    version, made, expires, nonce, signature = good.partition("#")[2].split(".")
    used = world.link()
    world.begin(used)
    forged = {
        "nothing": "", "a page": good.partition("#")[0], "no signature": f"{version}.{made}.{expires}.{nonce}.",
        "another number": f"{version}.{made}.{expires}.{nonce[::-1]}.{signature}",
        "longer": f"{version}.{made}.{int(expires) + 60}.{nonce}.{signature}",
        "younger": f"{version}.{int(made) + 60_000_000}.{expires}.{nonce}.{signature}",
        "another version": f"1.{made}.{expires}.{nonce}.{signature}",
        "another key": world.link(key=b"y" * 64), "another operator": world.link(operator="somebody"),
        "stale": world.link(lasts=timedelta(0)), "a letter changed": good[:-1] + ("A" if good[-1] != "A" else "B"),
        "used": used, "long": good + "A" * 3000,
    }  # fmt: skip
    asked = world.etrade.calls["request_token"]
    told = {"stale": LINK_EXPIRED}
    opened = [
        name for name, link in forged.items() if not says(world.post("/start", {"link": link}), told.get(name, REFUSED))
    ]
    if world.etrade.calls["request_token"] != asked:
        opened.append("E*TRADE was asked")
    if not world.store.query("sign_in") or "sign_in_refused" not in world.told():
        opened.append("nobody was told")
    return opened


def bad_cookies(**variant: Any) -> list[str]:
    """Item 2: the flow is a random 256-bit cookie for this host alone, kept as a hash, for five minutes."""
    world = SignInWorld(**variant)
    answer = world.post("/start", {"link": world.link()})
    header, value = answer.headers.get("Set-Cookie", ""), cookie_of(answer)
    wanted = {"Path=/", "Max-Age=900", "Secure", "HttpOnly", "SameSite=Lax"}
    found = [f"no {part}" for part in sorted(wanted - set(header.split("; ")))]
    found += (
        []
        if re.fullmatch(r"__Host-[^=]+=[A-Za-z0-9]{43}\.[A-Za-z0-9_-]{43}; .*", header) and "Domain" not in header
        else ["name"]
    )
    stored = repr([world.store.query(name) for name in ("flows", "links", "sign_in", "outbox")])
    found += ["the cookie is stored"] if value and value in stored else []
    found += ["the request token is stored"] if "request+1" in stored or "request-half" in stored else []
    cookie, request_token, verifier = SignInWorld.begin(world)
    world.kernel.run(world.kernel.now() + timedelta(minutes=5, seconds=1))
    late = world.get(back(request_token, verifier), cookie)
    found += [] if says(late, EXPIRED) else ["an old flow counts"]
    return found


def fixations(**variant: Any) -> list[str]:
    """Item 3: a flow that another browser began does not count in this one, by callback or by code."""
    world = SignInWorld(**variant)
    cookie, request_token, verifier = world.begin()
    other, other_token, _ = world.begin()
    state = state_of(request_token)
    attempts = {
        "no cookie": world.get(back(request_token, verifier)),
        "no cookie, no token": world.get(f"/callback?oauth_verifier={verifier}"),
        "no token": world.get(f"/callback?oauth_verifier={verifier}", cookie),
        "a wrong verifier, no token": world.get("/callback?oauth_verifier=AAAA", cookie),
        "another cookie": world.get(back(request_token, verifier), other),
        "a made up cookie": world.get(back(request_token, verifier), f"{'A' * 43}.{'A' * 43}"),
        "a cookie of no flow": world.get(back(request_token, verifier), world.cookie()),
        "the form without a cookie": world.post("/pin", {"state": state, "pin": verifier}),
        "the form with another cookie": world.post("/pin", {"state": state, "pin": verifier}, other),
        "the form of another token": world.post("/pin", {"state": state_of(other_token), "pin": verifier}, cookie),
        "the form without its token": world.post("/pin", {"pin": verifier}, cookie),
        "beginning again without a cookie": world.post("/again", {}),
    }  # fmt: skip
    counted = [name for name, answer in attempts.items() if not is_refused(answer)]
    counted += ["an exchange was made"] if world.etrade.calls["access_token"] else []
    world.get(back(request_token, "WRONG1"), cookie)
    mine = world.get(back(request_token, verifier), cookie)
    counted += [] if mine.status_code == 200 else ["what others sent used the owner's flow up"]
    typing = SignInWorld(**variant, callback_url="")
    cookie, request_token, verifier = typing.begin()
    unknown = typing.get(back(request_token, verifier), cookie)
    return counted + ([] if unknown.status_code == 404 else ["there is a callback where none is registered"])


def replays(**variant: Any) -> list[str]:
    """Item 4: of a hundred callbacks at once one counts, and E*TRADE is asked once."""
    world = SignInWorld(**variant)
    cookie, request_token, verifier = world.begin()
    answers = world.together([lambda: world.get(back(request_token, verifier), cookie)] * 100)
    good = sum(answer.status_code == 200 for answer in answers)
    exchanges = world.etrade.calls["access_token"]
    return [] if (good, exchanges, len(answers)) == (1, 1, 100) else [f"{good} counted, {exchanges} exchanges"]


def same_link_at_once(**variant: Any) -> list[str]:
    """Item 1 again: of five browsers that post one link at the same moment one begins."""
    world = SignInWorld(**variant)
    link = world.link()
    answers = world.together([lambda: world.post("/start", {"link": link})] * 5)
    begun = sum(answer.status_code == 200 for answer in answers)
    left = len(world.vault.versions(REQUEST_TOKEN))
    return [] if (begun, left) == (1, 1) else [f"{begun} began, {left} request tokens kept"]


def ended_links(**variant: Any) -> list[str]:
    """Item 1 once more: a completed sign-in ends every older link and what began with one, and no younger link."""
    world = SignInWorld(**variant)
    unused, (theirs, theirs_token, theirs_verifier) = world.link(), world.begin()
    mistyped = world.begin()[0]
    world.get(back("another", "WRONG1"), mistyped)
    cookie, request_token, verifier = world.begin()
    world.get(back(request_token, verifier), cookie)
    first = current(world.store)
    answers = {
        "an older link": world.post("/start", {"link": unused}),
        "an older sign-in": world.get(back(theirs_token, theirs_verifier), theirs),
        "beginning an older one again": world.post("/again", {}, mistyped),
    }
    found = [name for name, answer in answers.items() if OVERTAKEN not in answer.get_data(as_text=True)]
    found += [] if current(world.store) == first else ["another token counts"]
    found += [] if "sign_in_refused" in world.told() else ["nobody was told"]
    world.kernel.run(world.kernel.now() + timedelta(hours=1))
    cookie, request_token, verifier = world.begin()
    again = world.get(back(request_token, verifier), cookie)
    return found + ([] if again.status_code == 200 else ["a younger link does not sign in again"])


def oddities(**variant: Any) -> list[str]:
    """Items 5 and 6: what is no verifier is not sent to E*TRADE, and nothing that came is repeated."""
    found = []
    for odd in (
        CANARY * 3,
        f"<script>{CANARY}",
        "",
        "ABC",
        f"A{CANARY}\r\nX: y",
        "\u0661\u0662\u0663\u0664",
        "A B C D",
    ):
        world = SignInWorld(**variant)
        cookie, request_token, _ = world.begin()
        typing = SignInWorld(**variant, callback_url="")
        theirs, other, _ = typing.begin()
        for answer, sentence in (
            (world.get(back(request_token, odd), cookie), REFUSED),
            (world.post("/pin", {"state": state_of(request_token), "pin": odd}, cookie), REFUSED),
            (typing.post("/pin", {"state": state_of(other), "pin": odd}, theirs), WRONG_CODE),
            (world.post("/start", {"link": odd}), REFUSED),
        ):
            found += [] if says(answer, sentence) else [f"{answer.status_code} for {odd!r}"]
            found += [f"{odd!r} is repeated"] if CANARY in (answer.get_data(as_text=True) + str(answer.headers)) else []
        reached = world.etrade.calls["access_token"] + typing.etrade.calls["access_token"]
        found += [f"{odd!r} reached E*TRADE"] if reached else []
    return found


def open_headers(**variant: Any) -> list[str]:
    """Item 7: every answer is sealed and sends nobody anywhere but E*TRADE's page."""
    world = SignInWorld(**variant)
    cookie, request_token, verifier = world.begin()
    answers = [
        world.get("/start"), world.post("/start", {"link": ""}), world.get("/callback"), world.get("/nowhere"),
        world.get(back(request_token, verifier), cookie), world.get("/start?next=https://example.org"),
    ]  # fmt: skip
    found = []
    for answer in answers:
        found += [f"no {name}" for name, value in HEADERS.items() if answer.headers.get(name) != value]
        found += ["a redirect"] if "Location" in answer.headers else []
        found += ["another host"] if "example.org" in answer.get_data(as_text=True) else []
    return found


def talkative_logs(**variant: Any) -> list[str]:
    """Item 8: no line of the journal holds a link, a cookie, a verifier or a token; no link is in a sent address."""
    world = SignInWorld(**variant)
    link = world.link()
    cookie, request_token, verifier = world.begin(link)
    world.get(back(request_token, "WRONG"), world.cookie())
    world.get(back(request_token, verifier), cookie)
    logged = repr(world.journal.lines)
    secret = {"link": link.rpartition(".")[2], "cookie": cookie, "verifier": verifier, "token": request_token}
    found = [f"{name} is logged" for name, value in secret.items() if value in logged]
    return found + ([] if "?" not in link and link.count("#") == 1 else ["the link is sent in an address"])


def left_versions(**variant: Any) -> list[str]:
    """Item 10: after fifty sign-ins and a refresh one version can be read, and it is the one that counts."""
    world = SignInWorld(**variant)
    for _ in range(50):
        cookie, request_token, verifier = world.begin()
        world.get(back(request_token, verifier), cookie)
        world.kernel.run(world.kernel.now() + timedelta(minutes=20))
    world.kernel.call(lambda: clear(world.desk, world.timed_vault), name="refresh")
    held = current(world.store)
    assert held is not None
    found = [] if world.usable() == (held.value.vault_version,) else [f"{len(world.usable())} can be read"]
    return found + (["request tokens are left"] if world.vault.versions(REQUEST_TOKEN) else [])


def ended_days(**variant: Any) -> list[str]:
    """Item 11: when the day is ended the token is dead at E*TRADE, in the record and in the vault."""
    world = SignInWorld(**variant)
    cookie, request_token, verifier = world.begin()
    world.get(back(request_token, verifier), cookie)
    held = current(world.store)
    assert held is not None
    evening = Evening(settled=True, left_open=())
    world.kernel.call(lambda: end_day(world.desk, world.etrade, world.timed_vault, held, evening), name="refresh")
    found = ["E*TRADE still takes it"] if world.etrade.living else []
    return found + (["the vault still gives it"] if world.usable() else [])


def renewals(**variant: Any) -> list[str]:
    """Item 12: of fifty callers that find the token asleep at once one renews."""
    world = SignInWorld(**variant)
    cookie, request_token, verifier = world.begin()
    world.get(back(request_token, verifier), cookie)
    world.kernel.run(world.kernel.now() + timedelta(hours=3))
    asked_at = world.kernel.now()
    woken = world.together([lambda: renew(world.desk, world.etrade, asked_at=asked_at)] * 50)
    calls = world.etrade.calls["renew"]
    return [] if (calls, woken) == (1, [True] * 50) else [f"{calls} renewals, {woken.count(True)} of 50 awake"]


def plain_errors(**variant: Any) -> list[str]:
    """Item 26: whatever is raised inside, the page says a sentence of ours and nothing of the error."""
    found = []
    for kind in _ERRORS:
        for place in ("request_token", "access_token"):
            world = SignInWorld(**variant)
            error = ConfigError((CANARY,)) if kind is ConfigError else kind(CANARY)
            if place == "request_token":
                world.etrade.trouble[place] = error
                answer = world.post("/start", {"link": world.link()})
            else:
                cookie, request_token, verifier = world.begin()
                world.etrade.trouble[place] = error
                answer = world.get(back(request_token, verifier), cookie)
            text = answer.get_data(as_text=True)
            said = any(sentence in text for sentence in (UNREACHABLE, FAILED))
            found += [] if said and CANARY not in text else [f"{kind.__name__} at {place}"]
    return found


def floods(**variant: Any) -> list[str]:
    """Item 33: five starts a link; a flood of forgeries, and a link that is used up, keep nobody out."""
    world = SignInWorld(**variant)
    world.etrade.trouble["request_token"] = NotSent("no route")
    link = world.link()
    down = [world.post("/start", {"link": link}).status_code for _ in range(7)]
    found = [] if down == [503] * 7 else ["what E*TRADE fails at counts as a start"]
    del world.etrade.trouble["request_token"]
    answer, begun, last = world.post("/start", {"link": link}), 0, ""
    while answer.status_code == 200 and begun < 20:
        begun += 1
        last = cookie_of(answer) or world.cookie()
        answer = world.post("/again", {}, last)
    found += [] if begun == 5 and TOO_MANY in answer.get_data(as_text=True) else [f"{begun} starts with one link"]
    for _ in range(20):
        world.post("/again", {}, last)
    found += [] if world.told().count("link_used") == 2 else ["the owner is not told once of a link that is used up"]
    for number in range(300):
        world.get("/callback?oauth_verifier=AAAA", "" if number % 2 else f"{'A' * 43}.{'A' * 43}")
    found += [] if world.post("/start", {"link": world.link()}).status_code == 200 else ["the owner is kept out"]
    counted = read(world.store, Refusals, PATH)
    return found + ([] if counted is not None and counted.value.total == 300 else ["refusals are lost"])


def other_accounts(**variant: Any) -> list[str]:
    """The account: a token of another one is ended before it counts, and where none is chosen the page chooses none."""
    world = SignInWorld(**variant)
    cookie, request_token, verifier = world.begin()
    world.get(back(request_token, verifier), cookie)
    before = current(world.store)
    world.kernel.run(world.kernel.now() + timedelta(hours=1))
    world.etrade.theirs = (THEIRS,)
    cookie, request_token, verifier = world.begin()
    answer = world.get(back(request_token, verifier), cookie)
    found = [] if OTHER_ACCOUNT in answer.get_data(as_text=True) else ["another account is signed in"]
    found += [] if current(world.store) == before and len(world.usable()) == 1 else ["its token is stored"]
    found += [] if len(world.etrade.living) == 1 else ["its token lives at E*TRADE"]
    found += [] if "account_refused" in world.told() else ["nobody was told"]
    nobody = SignInWorld(**variant, account_id="")
    link = nobody.link()
    answer = nobody.post("/start", {"link": link})
    found += [] if NOT_PINNED in answer.get_data(as_text=True) else ["the page chooses an account"]
    return found + ([] if not nobody.store.query("links") else ["the link is used up"])
