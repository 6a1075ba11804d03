"""Twenty-one secrets of real sign-ins and a working minute, searched for wherever something is written down."""

import base64
import json
import re
import sqlite3
import traceback
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from infra.simulated_day.owner import accept, post, start
from shared.domain.broker.tokens import AccessToken, RequestToken
from shared.domain.telling.sign_in_notices import SignInNeeded
from shared.errors import DeskError
from shared.pages.keys import HeldKey
from shared.topology import ACCESS_TOKEN, CONSUMER, HALT_KEY, REQUEST_TOKEN, SIGN_IN_KEY
from shared.usecases.base.links import LinkKey
from shared.usecases.sign_in.authorize import Opened
from tests.doors.sign_in_world import KEY, OPERATOR, SignInWorld, back
from tests.functions.made import Bench, write_market


def forms(secret: bytes) -> set[bytes]:
    """Give a secret raw, URL-encoded, in hex, and in base64 of both alphabets at any offset.

    The middle of a short code in base64 is a few letters that are anywhere: then the whole code counts.
    """
    shifted = [b"x" * skip + secret for skip in range(3)]
    plain = {base64.b64encode(one)[4 if skip else 0 : -4] for skip, one in enumerate(shifted)}
    safe = {base64.urlsafe_b64encode(one)[4 if skip else 0 : -4] for skip, one in enumerate(shifted)}
    middles = {one for one in plain | safe if len(one) >= 8} or {base64.b64encode(secret)}
    return {secret, quote(secret, safe="").encode(), secret.hex().encode(), *middles}


def found(secrets: dict[str, bytes], places: list[bytes]) -> list[str]:
    """Name every secret that is in a place, in any form."""
    text = b"\n".join(places)
    return [name for name, secret in secrets.items() if any(form in text for form in forms(secret))]


def _sign_in(bench: Bench, number: int) -> tuple[dict[str, bytes], list[bytes]]:
    """Sign in as the owner does; give six secrets of it and all that the browser was shown."""
    link = bench.machine.link()
    page, cookie = start(bench.world, link)
    vault = bench.world.vault
    request = json.loads(vault.read(REQUEST_TOKEN, vault.versions(REQUEST_TOKEN)[-1]))
    verifier = bench.kernel.call(lambda: accept(page.links["authorize"], bench.machine.http), name="owner")
    form = {"state": page.fields["state"], "pin": verifier}
    answers = [post(bench.world, "/pin", form, cookie) for _ in range(2)]
    assert [status for status, _, _ in answers] == [200, 400]
    access = json.loads(vault.read(ACCESS_TOKEN, vault.versions(ACCESS_TOKEN)[-1]))
    assert parse_qs(urlsplit(page.links["authorize"]).query)["token"] == [request["token"]]
    secrets = {
        "request secret": request["secret"], "access token": access["token"], "access secret": access["secret"],
        "verifier": verifier, "cookie": cookie.partition("=")[2], "link": link.rpartition(".")[2],
    }  # fmt: skip
    shown = [body + repr(headers).encode() for _, headers, body in answers]
    return {f"{name} {number}": value.encode() for name, value in secrets.items()}, shown


def test_no_secret_leaves_the_vault(tmp_path: Path) -> None:
    """After three sign-ins, refusals and a working minute none of 21 secrets is in store, bus, files or answers."""
    bench = Bench(tmp_path / "state", write_market(tmp_path / "market", minutes=2), start="07:10")
    vault = bench.world.vault
    secrets = {"sign-in key": vault.read(SIGN_IN_KEY, "1"), "halt key": vault.read(HALT_KEY, "1")}
    secrets["consumer secret"] = json.loads(vault.read(CONSUMER, "1"))["secret"].encode()
    places: list[bytes] = []
    for number in range(3):
        ours, shown = _sign_in(bench, number)
        secrets |= ours
        places += shown
    bench.run("09:30")
    bench.world.start_schedules(bench.kernel.now())
    bench.run("09:31:30")
    bench.lines()
    with sqlite3.connect(bench.folder / "state.db") as database:
        places.append("\n".join(database.iterdump()).encode())
    database.close()
    places += [path.read_bytes() for path in sorted(bench.folder.iterdir()) if path.is_file()]
    places += [one.raw for one in bench.deliveries]
    places += [base64.b64decode(json.loads(one.raw)["message"]["data"]) for one in bench.deliveries]
    bench.close()
    assert len(secrets) == 21
    assert len(bench.deliveries) >= 2
    assert b"token/main" in b"".join(places)
    assert found(secrets, places) == []


@pytest.mark.parametrize("name", ["raw", "quoted", "hex", "base64", "shifted"])
def test_a_planted_secret_is_found(name: str) -> None:
    """The search finds a secret in each of its forms, in the middle of other text."""
    secret = b"canary/secret+of=thirty-two-bytes"
    planted = {
        "raw": secret, "quoted": quote(secret, safe="").encode(), "hex": secret.hex().encode(),
        "base64": base64.b64encode(secret), "shifted": base64.urlsafe_b64encode(b"xy" + secret),
    }  # fmt: skip
    assert found({"it": secret}, [b"before " + planted[name] + b" after"]) == ["it"]
    assert found({"it": secret}, [b"nothing"]) == []


def test_no_error_and_no_repr_shows_a_secret() -> None:
    """What holds a secret shows none of it when printed, and an error that crosses the sign-in holds none either."""
    world = SignInWorld()
    link = world.link()
    cookie, request_token, verifier = world.begin(link)
    made = world.pages.sign_ins
    secrets = {
        "key": KEY, "link": link.rpartition(".")[2].encode(), "cookie": cookie.encode(), "verifier": verifier.encode(),
        "request token": request_token.encode(), "token": b"a token of ours", "half": b"a half of ours",
    }  # fmt: skip
    access = AccessToken(token="a token of ours", secret="a half of ours")
    shown = [
        access, RequestToken(token=request_token, secret="a half of ours"), LinkKey(operator="o", value=KEY),
        Opened(url="a token of ours", cookie=cookie, state=""), made,
        SignInNeeded(signed=link.partition("#")[2], minutes_to_open=1, occasion="", at=world.kernel.now()),
    ]  # fmt: skip
    places = [repr(one).encode() for one in shown] + [str(one).encode() for one in shown]
    world.vault.broken["read"] = KeyError(verifier)
    world.get(back(request_token, verifier), cookie)
    try:
        world.kernel.call(HeldKey(world.desk, world.timed_vault, OPERATOR), name="browser")
    except DeskError as problem:
        places.append("".join(traceback.format_exception(problem)).encode())
    places += [repr(world.journal.lines).encode(), repr(world.bus.sent).encode()]
    places += [repr(world.store.query(name)).encode() for name in ("flows", "links", "sign_in", "token", "outbox")]
    assert len(places) == 20
    assert found(secrets, places) == []
    assert re.search(rb"sign_in_failed", b"".join(places))
