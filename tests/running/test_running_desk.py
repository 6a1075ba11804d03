"""The owner's commands at a desk that runs: in, stopped, told, a secret changed; and who else may speak to it."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from infra.one_machine.to_simulator import ToSimulator
from infra.one_machine.world_file import WorldFile
from infra.operations import login
from infra.operations.profiles import reach
from infra.running.plan import Plan
from infra.running.station import Station
from infra.simulated_day.chosen import of_file
from infra.simulated_day.owner import SignInFailed, accept, start
from infra.simulated_day.problems import UserError
from shared.codec import decode
from shared.domain.broker.tokens import TokenState
from shared.domain.telling.messages import CloseTick
from shared.pages.keys import KEY_HELD
from shared.topology import ACCESS_TOKEN, SIGN_IN_KEY, TOPOLOGY
from shared.usecases.base.links import LOGIN_LINK_LIFE, sign_in_key
from shared.usecases.base.outbox import pack
from shared.usecases.sign_in import flows
from tests.doors.webhook import Webhook, webhook
from tests.operations.desks import answer, strategy
from tests.patience import PATIENCE_S
from tests.running.browser import Site, run_until, sign_in_at, token_state
from tests.running.desks import wait_for, with_archives

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def hook() -> Iterator[Webhook]:
    """Give a webhook on loopback."""
    with webhook() as made:
        yield made


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory, unpacked: Path, hook: Webhook) -> Iterator[Station]:
    """Give a running desk on paper that was started with a folder named from where its owner stood."""
    environ = {**os.environ, "STRATEGY_NOTIFY_ADDRESSES": hook.address()}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("home"))
        with_archives(Path("state/mine"), unpacked)
        Path("mine.toml").write_text("[limits]\npositions_max = 3\n")
        mine = of_file(Path("mine.toml"))
        with Station(Plan(state=Path("state/mine"), environ=environ, speed=20.0, own=mine)) as made:
            yield made


def _here(station: Station) -> tuple[str, str]:
    return "--state", str(station.plan.state.resolve())


def test_a_desk_trades_by_the_file_that_it_was_started_with(station: Station) -> None:
    """What `--config FILE.toml` says is version 1 of the desk's configuration before its first minute."""
    shown = answer("config", "show", *_here(station))
    assert (shown["number"], shown["settings"]["limits.positions_max"]) == (1, "3")


def test_a_link_opens_in_a_browser_and_waits_for_the_token(station: Station, tmp_path: Path) -> None:
    """`strategy login --link` opens a new link in a browser, says when the token is stored, and shows none of it."""
    assert station.broker is not None
    browser = tmp_path / "browser"
    owner = f'"{sys.executable}" -m tests.running.owner_browser {station.broker.url} "$1"'
    browser.write_text(f'#!/bin/sh\necho "$@" > "{browser}.asked"\nexec {owner}\n')
    browser.chmod(0o700)
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "infra.cli.main", "login", "--link", "--json", *_here(station)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S,
        env={**os.environ, "BROWSER": f"{browser} %s"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["state"] == "fresh"
    asked = (tmp_path / "browser.asked").read_text()
    assert asked.startswith("file://")
    assert "#" not in asked, "the link is in a process's arguments"
    assert not Path(asked.strip().removeprefix("file://")).parent.exists()
    assert token_state(station) is TokenState.FRESH
    vault = station.cloud.vault
    (version,) = vault.versions(ACCESS_TOKEN)
    held: dict[str, Any] = json.loads(vault.read(ACCESS_TOKEN, version))
    assert all(value not in done.stdout + done.stderr for value in held.values())


def test_a_code_signs_in_without_a_browser(station: Station) -> None:
    """A code typed in the terminal, or the address with it, stores a token without a page of ours; a wrong one none."""
    assert station.broker is not None
    simulator = ToSimulator(station.broker.url)
    asked = station.store.query("flows"), station.store.query("links")
    with reach("local", station.plan.state, {}) as hand:
        before = login.version(hand)
        with pytest.raises(UserError, match="the code was not accepted"):
            login.by_code(hand, lambda _: "WRONG")
        assert login.version(hand) == before
        login.by_code(hand, lambda page: accept(page, simulator))
        assert login.await_token(hand, before, within_s=PATIENCE_S).vault_version != before
        assert (station.store.query("flows"), station.store.query("links")) == asked
        before = login.version(hand)
        login.by_code(
            hand, lambda page: f"https://example.com/cb?oauth_token=A&oauth_verifier={accept(page, simulator)}"
        )
        assert login.version(hand) != before
        with pytest.raises(UserError, match="no token came in time"):
            login.await_token(hand, login.version(hand), within_s=0.5)


def test_no_code_is_asked_for_again(station: Station) -> None:
    """What is no code is sent nowhere and asked for twice more."""
    assert station.broker is not None
    simulator, pages = ToSimulator(station.broker.url), list[str]()

    def nothing(page: str) -> str:
        pages.append(page)
        return ("", "A B", "!!!!!")[len(pages) % 3]

    def at_the_second_try(page: str) -> str:
        pages.append(page)
        return f" {accept(page, simulator)} " if pages[-2:] == [page, page] else ""

    refused = station.store.get("sign_in/refused")
    with reach("local", station.plan.state, {}) as hand:
        before = login.version(hand)
        with pytest.raises(UserError, match="no code was typed, and nothing was sent"):
            login.by_code(hand, nothing)
        assert (len(pages), len(set(pages))) == (3, 1)
        assert station.store.get("sign_in/refused") == refused
        login.by_code(hand, at_the_second_try)
        assert login.await_token(hand, before, within_s=PATIENCE_S).vault_version != before


def test_a_wrong_code_is_told_and_asked_for_again(station: Station) -> None:
    """A code that E*TRADE does not take is said to be wrong, and that of a new page of E*TRADE's signs in."""
    assert station.broker is not None
    simulator, pages, told = ToSimulator(station.broker.url), list[str](), list[str]()

    def wrong_first(page: str) -> str:
        pages.append(page)
        return accept(page, simulator) if len(pages) > 1 else "WRONG1"

    with reach("local", station.plan.state, {}) as hand:
        before = login.version(hand)
        login.by_code(hand, wrong_first, told.append)
        assert login.await_token(hand, before, within_s=PATIENCE_S).vault_version != before
    assert (told, len(set(pages))) == (["The code was not accepted."], 2)


def test_the_times_of_a_sign_in_are_a_person_s(station: Station) -> None:
    """On a desk that runs twenty times as fast a link lives ten real minutes, and the page and what it began five."""
    key = sign_in_key(station.cloud.vault, station.operator)
    with reach("local", station.plan.state, {}) as hand:
        links = [key.genuine(one) for one in (station.link(), login.link(hand))]
        pages = Site(station.sign_in_address)
        start(pages, login.link(hand))
    for link in links:
        assert link is not None
        assert link.expires_at - link.made_at >= (LOGIN_LINK_LIFE - timedelta(seconds=1)) * station.plan.speed
    flow = max((decode(flows.Flow, row.data) for row in station.store.query("flows")), key=lambda one: one.link_made_at)
    assert flow.expires_at - flow.link_made_at >= flows.FLOW_LIFE * station.plan.speed
    assert flow.again_until - flow.link_made_at >= flows.AGAIN_LIFE * station.plan.speed


def test_the_desk_is_seen_as_running(station: Station) -> None:
    """Status, notices and token tell of the desk's own instant, while it runs."""
    sign_in_at(station)
    seen = answer("status", *_here(station))
    assert seen["running"] is True
    assert all(one["title"] for one in answer("notices", *_here(station)))
    assert answer("token", *_here(station))["signs_in"] is False
    assert station.status().given_up == 0
    wait_for(station.folder.status.exists)
    machine = answer("status", *_here(station))["machine"]
    assert (machine["silent"], machine["restarted"], machine["refused"]) == ([], {}, None)
    assert machine["age_s"] < PATIENCE_S


def _post(address: str, path: str, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection(address, timeout=PATIENCE_S)
    try:
        body = json.dumps({"message": {"data": pack(CloseTick()).decode()}})
        connection.request("POST", path, body=body, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_only_the_desk_delivers_to_its_functions(station: Station) -> None:
    """A push without the run's key, or with a wrong one, is refused before the function sees it."""
    before = station.status()
    for function in TOPOLOGY.functions:
        if not function.public:
            address = station.fleet.addresses[function.name]
            assert _post(address, "/", {"Content-Type": "text/plain", "Origin": "https://elsewhere.example"}) == 403
            assert _post(address, "/?key=guess", {"Authorization": "Bearer guess"}) == 403
    assert station.store.query("dead_letters") == []
    assert station.store.query("seals") == []
    after = station.status()
    assert (after.trading, after.signed_in) == (before.trading, before.signed_in)
    assert station.folder.path.stat().st_mode & 0o077 == 0


def test_no_function_reads_the_keys_of_another(station: Station) -> None:
    """What a function's process reads of its world holds its own keys alone; so does what the owner's commands read."""
    files = [station.folder.world, *(station.folder.world_of(one.name) for one in TOPOLOGY.functions)]
    assert _shared_keys(files) == []
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def _shared_keys(files: Sequence[Path]) -> list[str]:
    """Name the files in which there is a key of another one, or none of their own."""
    worlds = [WorldFile.read(path) for path in files]
    keys = Counter(key for world in worlds for key in (world.key, world.push_key) if key)
    found = []
    for path, world in zip(files, worlds, strict=True):
        own = {world.key, world.push_key} - {""}
        held = {key for key in keys if key in path.read_text()}
        if held != own or not world.key or any(keys[key] > 1 for key in own):
            found.append(path.stem)
    return found


@pytest.mark.parametrize(
    ("mistake", "found"),
    [
        ({"key": "of-the-first"}, ["second"]), ({"push_key": "to-the-first"}, ["first", "second"]),
        ({"state": "see of-the-first"}, ["second"]), ({"key": ""}, ["second"]), ({}, []),
    ],
)  # fmt: skip
def test_a_key_of_another_is_found(tmp_path: Path, mistake: dict[str, Any], found: list[str]) -> None:
    """A file with one key for all, as it once was, with another's beside its own, or with none is named."""
    first = WorldFile(cloud="local", key="of-the-first", push_key="to-the-first")
    second = replace(first, **{"key": "of-the-second", "push_key": "to-the-second", **mistake})
    files = [tmp_path / "first.json", tmp_path / "second.json"]
    for path, world in zip(files, (first, second), strict=True):
        world.write(path)
    assert set(found) <= set(_shared_keys(files))
    assert bool(found) == bool(_shared_keys(files))


def test_a_look_at_the_account_uses_the_token_of_the_desk(station: Station) -> None:
    """`strategy accounts`, `balance` and `doctor` work beside a running desk, with its key and token."""
    sign_in_at(station)
    assert [one["ending"] for one in answer("accounts", *_here(station))["rows"]] == ["0001", "0002", "0003"]
    rows = answer("balance", *_here(station))["rows"]
    assert [(one["problem"], one["on_paper"]) for one in rows] == [(None, False), (None, False), (None, True)]
    found = answer("doctor", "--no-notice", *_here(station))
    assert {"keys", "sign-in", "connection", "account"} <= {one["check"] for one in found if one["result"] == "ok"}
    refused = strategy("accounts", "--sign-in", *_here(station))
    assert (refused.exit_code, "strategy login" in refused.stderr) == (2, True)


def test_signing_out_ends_the_token_at_the_broker(station: Station) -> None:
    """`strategy logout` on a running desk: the broker is asked to revoke all there is, and no function has a token."""
    sign_in_at(station)
    assert station.broker is not None
    with station.broker.lock:
        before = station.broker.simulator.ledger()["calls"]["revoke"]
    done = answer("logout", "--yes", *_here(station))
    assert (done["signed_in"], done["problem"], done["undestroyed"]) == (True, "", 0)
    with station.broker.lock:
        revoked = station.broker.simulator.ledger()["calls"]["revoke"] - before
    assert 1 <= revoked <= done["destroyed"], "superseded ones may go meanwhile"
    seen = answer("token", *_here(station))
    assert (seen["state"], seen["signs_in"]) == ("dead", True)
    assert station.cloud.vault.versions(ACCESS_TOKEN) == ()


def test_a_key_changed_under_a_running_desk_counts_within_a_minute(station: Station) -> None:
    """A new key goes through the desk to its vault: a link that is signed with it opens the page in a minute."""
    assert answer("secrets", "set", SIGN_IN_KEY, "--generate", *_here(station))["left"] == 0
    assert len(station.cloud.vault.versions(SIGN_IN_KEY)) == 1
    pages = Site(station.sign_in_address)

    def opens() -> bool:
        try:
            start(pages, station.link())
        except SignInFailed:
            return False
        return True

    assert run_until(station, opens, within=2 * KEY_HELD)


def test_a_halt_is_in_force_at_once_and_told(station: Station, hook: Webhook) -> None:
    """`strategy halt`, which names no desk, is in the store when it returns, and the owner hears of it in minutes."""
    begun = time.monotonic()
    assert strategy("halt", "--reason", "a look").exit_code == 0
    assert answer("status", *_here(station))["control"]["state"] == "HALTED"
    assert time.monotonic() - begun < station.timeline.real_s(timedelta(minutes=20))

    def told() -> bool:
        return any("a look" in post["message"] for post in hook.posts)

    assert run_until(station, told, within=timedelta(minutes=30)), [post["title"] for post in hook.posts]


def test_the_simulator_is_called_so_on_page_and_in_notices(station: Station, hook: Webhook) -> None:
    """What the functions of a simulated broker show and send names the simulator, and never E*TRADE."""
    with urlopen(station.sign_in_address, timeout=PATIENCE_S) as page:  # noqa: S310 - our own page
        shown = page.read().decode()
    assert "Sign in to the simulator" in shown
    assert "E*TRADE" not in shown
    sign_in_at(station)

    def told() -> bool:
        return any("signed in to the simulator" in post["message"] for post in hook.posts)

    assert run_until(station, told, within=timedelta(minutes=30)), [post["title"] for post in hook.posts]
    assert not any("E*TRADE" in post["title"] + post["message"] for post in hook.posts)
