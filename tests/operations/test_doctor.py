"""`strategy doctor`: every trouble has its line and its remedy, none hides another, and what was not seen says so."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer

from infra.cli import examined
from infra.one_machine.loopback import held_port
from infra.one_machine.to_simulator import ToSimulator
from infra.operations.doctor import ENOUGH_BYTES, Finding, Patient, Result, examine, room
from infra.operations.profiles import Hand
from shared.codec import dumps
from shared.domain.base.calendar import new_york_day
from shared.domain.market.series import Series
from shared.domain.telling.left_out import LeftOut, SessionLeftOut, path_of
from shared.errors import SourceKeyRefused
from shared.ports import Put
from shared.topology import ALPACA_KEY, CONSUMER, HALT_KEY, NOTIFY_ADDRESSES, SIGN_IN_KEY
from shared.usecases.base.desk import create
from tests.doors.webhook import Webhook, webhook
from tests.operations.desks import refused, strategy
from tests.operations.keyed import KeyHome
from tests.usecases.morning import Scripted

WATCHED = {"STRATEGY_WATCH_LIST": "ZXAA,ZXBB"}
CHECKS = [
    "settings", "disk", "file access", "keys", "sign-in", "connection", "account", "watch list", "clock", "notices",
]  # fmt: skip


class Clinic:
    """A key alone in a folder, signed in, with one address that takes notices."""

    def __init__(self, folder: Path, hook: Webhook) -> None:
        self.home, self.folder, self.hook = KeyHome(), folder, hook
        folder.chmod(0o700)
        self.home.vault.add(NOTIFY_ADDRESSES, hook.address().encode())
        self.environ: dict[str, str] = dict(WATCHED)
        self.changes: dict[str, Any] = {}
        self.home.signed_in()

    def hand(self) -> Hand:
        """Give the hand as it is now."""
        return self.home.hand(**{"name": str(self.folder), **self.changes})

    def found(self, *, notice: bool = True, cloud: bool = False) -> list[Finding]:
        """Make every check."""
        return list(examine(Patient(hand=self.hand(), environ=self.environ, cloud=cloud), notice=notice))

    def problems(self) -> list[Finding]:
        """Make every check and give what is wrong."""
        return [one for one in self.found() if one.result is Result.PROBLEM]


@pytest.fixture
def clinic(tmp_path: Path) -> Any:
    """Give a key alone to which nothing is wrong."""
    with webhook() as hook:
        yield Clinic(tmp_path, hook)


def test_a_strategy_that_is_left_out_is_a_problem_of_a_system(clinic: Clinic) -> None:
    """It is named with why, and one that was left out yesterday is not; a key alone asks no strategy."""
    clinic.changes = {"operator": "owner"}
    today = new_york_day(clinic.home.clock.now())
    assert [one.says for one in clinic.found() if one.check == "strategies"] == ["none is left out today"]
    for name, day in (("mine", today), ("other", today - timedelta(days=1))):
        broken = LeftOut(name=name, why="it raised ValueError: no idea", at=clinic.home.clock.now())
        clinic.home.store.commit([create(path_of(day), SessionLeftOut(session=day, strategies=(broken,)))])
    (found,) = [one for one in clinic.problems() if one.check == "strategies"]
    assert found.says.startswith("left out: mine since ")
    assert found.says.endswith("it raised ValueError: no idea")
    clinic.home.store.commit([Put(path_of(today), {"strategies": 1})])
    (unread,) = [one for one in clinic.found() if one.check == "strategies"]
    assert (unread.result, unread.says) == (Result.UNCHECKED, f"{path_of(today)} cannot be read")


def test_a_key_that_is_well_has_no_problem(clinic: Clinic) -> None:
    """Every check is made once, all are well, the test notice arrives, and nothing is placed."""
    found = clinic.found()
    assert [(one.check, one.result) for one in found] == [(name, Result.OK) for name in CHECKS]
    assert [post["title"] for post in clinic.hook.posts] == ["A test"]
    clinic.home.nothing_was_placed()


def test_what_the_simulator_answers_is_not_said_to_be_etrades(clinic: Clinic) -> None:
    """On a simulated day it is the simulator that takes the key, and no finding names E*TRADE."""
    clinic.changes = {"simulated": True}
    said = [one.says for one in clinic.found()]
    assert "the simulator accepts the key" in said
    assert not any("E*TRADE" in one for one in said)


def no_pair(clinic: Clinic) -> None:
    """Lose the pair."""
    clinic.home.vault.secrets[CONSUMER] = []


def another_pair(clinic: Clinic) -> None:
    """Have a pair that E*TRADE does not know."""
    clinic.home.vault.add(CONSUMER, dumps({"key": "another-invented", "secret": "another-half"}))


def nobody_signed_in(clinic: Clinic) -> None:
    """Let the day pass."""
    clinic.home.clock.forward(24 * 3600)


def ended_at_etrade(clinic: Clinic) -> None:
    """End the token at E*TRADE alone, as its owner may."""
    clinic.home.end_token(clinic.hand())


def clock_off(clinic: Clinic) -> None:
    """Let E*TRADE's time be another one."""
    clinic.home.simulator.misdate(timedelta(seconds=7))


def delayed(clinic: Clinic) -> None:
    """Take the agreement away."""
    clinic.home.simulator.delay_quotes(True)


def unknown_symbol(clinic: Clinic) -> None:
    """Watch what is not traded."""
    clinic.environ["STRATEGY_WATCH_LIST"] = "ZXAA,GONE"


def open_folder(clinic: Clinic) -> None:
    """Let everybody in."""
    clinic.folder.chmod(0o755)


def no_folder(clinic: Clinic) -> None:
    """Take the folder away."""
    clinic.changes["name"] = str(clinic.folder / "gone")


def wrong_setting(clinic: Clinic) -> None:
    """Set something that cannot be."""
    clinic.environ["STRATEGY_REMIND_AT"] = "noon"


def deaf_address(clinic: Clinic) -> None:
    """Let the address refuse."""
    clinic.hook.answers = [500]


def no_address(clinic: Clinic) -> None:
    """Have no address."""
    clinic.home.vault.secrets[NOTIFY_ADDRESSES] = []


@pytest.mark.parametrize(("trouble", "check", "says", "remedy"), [
    (no_pair, "keys", "no version", "ETRADE_CONSUMER_KEY"),
    (another_pair, "keys", "does not accept the key", "secrets set etrade-consumer"),
    (nobody_signed_in, "sign-in", "the sign-in has ended", "--broker production"),
    (ended_at_etrade, "sign-in", "does not accept the sign-in", "sign in again"),
    (clock_off, "clock", "behind E*TRADE's", "NTP"),
    (delayed, "watch list", "delayed", "market data agreement"),
    (unknown_symbol, "watch list", "GONE", "remove it"),
    (open_folder, "file access", "other users", "chmod"),
    (no_folder, "disk", "cannot be written", "free disk space"),
    (wrong_setting, "settings", "STRATEGY_REMIND_AT", "environment"),
    (deaf_address, "notices", "did not accept", "store it again"),
    (no_address, "notices", "no notice reaches you", "notify-addresses"),
], ids=lambda one: getattr(one, "__name__", ""))  # fmt: skip
def test_each_trouble_has_its_line_and_remedy(
    clinic: Clinic, trouble: Callable[[Clinic], None], check: str, says: str, remedy: str
) -> None:
    """Whatever is wrong is one problem of its check, with what to do, and without it the check is well."""
    trouble(clinic)
    found = {one.check: one for one in clinic.problems()}
    assert says in found[check].says
    assert remedy in found[check].remedy


def test_one_trouble_hides_no_other(clinic: Clinic) -> None:
    """With an open folder, a wrong setting, a delayed market and a deaf address all four are named."""
    for trouble in (open_folder, wrong_setting, delayed, deaf_address):
        trouble(clinic)
    assert {one.check for one in clinic.problems()} == {"file access", "settings", "watch list", "notices"}


def test_a_broker_that_is_out_of_reach_is_told_as_that(clinic: Clinic) -> None:
    """Where nobody listens it is the network that is named, not the key."""
    with held_port() as port:
        clinic.changes["http"] = lambda: ToSimulator(f"http://127.0.0.1:{port}")
        found = clinic.problems()
    assert {one.check for one in found} == {"connection"}
    assert "network" in found[0].remedy


def test_what_cannot_be_seen_is_not_called_well(clinic: Clinic) -> None:
    """From the cloud disk, permissions, settings and watch list are not checked, and neither is an unwanted notice."""
    found = {one.check: one.result for one in clinic.found(notice=False, cloud=True)}
    unseen = {"settings", "disk", "file access", "watch list", "notices"}
    assert {name for name, result in found.items() if result is Result.UNCHECKED} == unseen
    assert clinic.hook.posts == []


def test_without_a_token_the_account_is_not_checked(clinic: Clinic) -> None:
    """What only a token shows is not checked without one, and never told as well."""
    nobody_signed_in(clinic)
    found = {one.check: one.result for one in clinic.found()}
    assert all(found[name] is Result.UNCHECKED for name in ("connection", "account", "watch list", "clock"))


def test_a_system_needs_the_keys_of_its_links(clinic: Clinic) -> None:
    """A system without the keys of its links, without a chosen account and without its settings hears of each."""
    clinic.changes |= {"operator": "owner", "mode": "paper"}
    found = clinic.problems()
    assert {one.check for one in found} == {"settings", "keys", "account"}
    said = " ".join(one.remedy for one in found)
    assert all(name in said for name in (SIGN_IN_KEY, HALT_KEY, "strategy login"))


def keyed(clinic: Clinic, source: Scripted) -> list[Finding]:
    """Make every check of a system that has a key of Alpaca's, and give what came of it."""
    clinic.changes |= {"operator": "owner", "mode": "paper"}
    clinic.home.vault.add(ALPACA_KEY, dumps({"key_id": "an-id", "secret": "a-half"}))
    patient = Patient(hand=clinic.hand(), environ=clinic.environ, alpaca=lambda _key, _clock: source)
    return [one for one in examine(patient, notice=False) if one.check == "alpaca"]


def test_a_key_of_alpaca_is_tried(clinic: Clinic) -> None:
    """A key that is taken is well after one question, a refused one has its remedy, and nobody needs one."""
    source = Scripted("alpaca", lambda _symbol, _before: None)
    (well,) = keyed(clinic, source)
    assert (well.result, source.asked) == (Result.OK, ["SPY"])

    def refuse(_symbol: str, _before: date) -> Series | None:
        raise SourceKeyRefused("alpaca: the key is not accepted (status 403)")

    (bad,) = keyed(clinic, Scripted("alpaca", refuse))
    assert (bad.result, "secrets set alpaca-key" in bad.remedy) == (Result.PROBLEM, True)
    clinic.home.vault.secrets[ALPACA_KEY] = []
    (none,) = [one for one in clinic.found() if one.check == "alpaca"]
    assert (none.result, "secrets set alpaca-key" in none.says) == (Result.UNCHECKED, True)


def test_room_is_judged_by_what_is_free() -> None:
    """A gigabyte is enough, and one byte less is a problem."""
    assert (room(ENOUGH_BYTES).result, room(ENOUGH_BYTES - 1).result) == (Result.OK, Result.PROBLEM)


def test_the_command_prints_a_line_for_each_check(clinic: Clinic, capsys: pytest.CaptureFixture[str]) -> None:
    """Each check is a line, a problem makes the exit code 1, and as JSON it is the same list."""
    examined.doctor(clinic.hand(), cloud=True, notice=False, json=False)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(CHECKS)
    delayed(clinic)
    no_address(clinic)
    with pytest.raises(typer.Exit) as ended:
        examined.doctor(clinic.hand(), cloud=True, notice=False, json=True)
    assert ended.value.exit_code == 1
    assert json.loads(capsys.readouterr().out)[-1]["result"] == "problem"


def test_without_a_system_the_way_without_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no system is, the remedy names the key alone."""
    monkeypatch.chdir(tmp_path)
    refused(strategy("doctor"), "--broker production")
