"""What a person asks `strategy up` for: what is refused before anything starts, and what the functions never see."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.brokersim.market import open_market
from infra.cli.main import app
from infra.cli.up import serve, traded
from infra.one_machine.kernel import Kernel
from infra.one_machine.vault import KEY_VARIABLE
from infra.running.chores import Chores
from infra.running.folder import Folder
from infra.running.plan import Broker, Plan, plan
from infra.running.settings import addresses, consumer, settings_of
from infra.simulated_day.problems import UserError
from shared.domain.orders.versions import Version
from shared.ports import Scalar, Severity
from shared.settings import Mode, load
from shared.strategies.config import load as load_config
from tests.running.desks import SEED, new_york, plan_of

PAIR = {
    "ETRADE_CONSUMER_KEY": "canary-key", "ETRADE_CONSUMER_SECRET": "canary-secret",
    "STRATEGY_NOTIFY_ADDRESSES": "json://canary@127.0.0.1",
}  # fmt: skip
GIVEN = {"STRATEGY_WATCH_LIST": "AAPL", "STRATEGY_CAPITAL_USD": "5000", KEY_VARIABLE: "canary-vault"}


def _asked(environ: Mapping[str, str], *, broker: str = "sandbox", mode: Mode = Mode.LIVE) -> Plan:
    return plan(broker=broker, mode=mode, cloud="local", speed=1.0, state=Path("desk"), environ=environ)


def _sandbox(environ: Mapping[str, str]) -> dict[str, str]:
    return settings_of(_asked(environ), None)


def test_the_functions_of_a_sandbox_see_no_secret() -> None:
    """Of a person's environment the functions get the settings and nothing else: no consumer pair, no vault's key."""
    environ = {**GIVEN, **PAIR, "PATH": "/bin", "AWS_SECRET": "canary", "STRATEGY_OTHER": "canary"}
    assert _sandbox(environ) == {
        "STRATEGY_WATCH_LIST": "AAPL", "STRATEGY_CAPITAL_USD": "5000", "STRATEGY_MODE": "live",
        "ETRADE_SANDBOX": "true",
    }  # fmt: skip
    assert consumer(_asked(environ)) == ("canary-key", "canary-secret")
    assert addresses(_asked(environ)) == ("json://canary@127.0.0.1",)
    assert consumer(plan_of(Path("desk"))) is None


def test_the_functions_of_a_simulator_see_no_secret() -> None:
    """A person's keys do not reach the functions of a simulated desk, and a list that would not count is refused."""
    market = open_market("generated", seed=SEED)
    mine = {**GIVEN, **PAIR}
    with pytest.raises(UserError, match="STRATEGY_WATCH_LIST does not count"):
        settings_of(plan_of(Path("desk"), environ=mine), market)
    mine.pop("STRATEGY_WATCH_LIST")
    given = settings_of(plan_of(Path("desk"), environ=mine), market)
    assert not [value for value in given.values() if "canary" in value]
    assert given["STRATEGY_CAPITAL_USD"] == "5000"


@pytest.mark.parametrize("value", ["false", "true", "perhaps"])
def test_the_broker_that_is_asked_for_decides_the_host(value: str) -> None:
    """What a person's environment says of host and mode does not count: the words of the command do."""
    environ = {**GIVEN, "ETRADE_SANDBOX": value, "STRATEGY_MODE": "live" if value == "false" else value}
    for broker, mode, host in (("sandbox", Mode.LIVE, "true"), ("production", Mode.PAPER, "false")):
        given = settings_of(_asked(environ, broker=broker, mode=mode), None)
        assert (given["ETRADE_SANDBOX"], given["STRATEGY_MODE"]) == (host, mode.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    """Every setting that cannot be used is in one sentence, and no secret's value is."""
    wrong = {"STRATEGY_CAPITAL_USD": "-1", "ETRADE_RATE_LIMIT": "900", "STRATEGY_NOTIFY_ADDRESSES": "canary"}
    with pytest.raises(UserError) as refused:
        _sandbox({**wrong, "ETRADE_CONSUMER_KEY": "canary-key"})
    for name in (*wrong, "STRATEGY_WATCH_LIST", "ETRADE_CONSUMER_SECRET"):
        assert name in refused.value.what
    assert "canary" not in refused.value.what


def test_plans_that_cannot_be_are_refused() -> None:
    """Live orders at production are refused whatever the cloud, and so is E*TRADE in any time but the real one."""
    for cloud in ("local", "emulators"):
        with pytest.raises(UserError, match="not enabled yet"):
            plan(broker="production", mode=Mode.LIVE, cloud=cloud, speed=1.0, state=Path("desk"), environ={})
    for broker in ("sandbox", "production"):
        with pytest.raises(UserError, match="real time"):
            plan(broker=broker, mode=Mode.PAPER, cloud="local", speed=2.0, state=Path("desk"), environ={})
    slipped = Plan(broker="production", mode=Mode.LIVE, state=Path("desk"), environ=GIVEN)
    with pytest.raises(UserError, match="not enabled yet"):
        settings_of(slipped, None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--broker", "production", "--mode", "live"), "not enabled yet"),
        (("--broker", "production", "--speed", "5"), "real time"),
        (("--broker", "sandbox", "--speed", "5"), "real time"),
        (("--broker", "sandbox", "--config", "default"), "--config default counts for the simulator only"),
        (("--broker", "production", "--seed", "1", "--starts", "09:30"), "--seed and --starts count for the simulator"),
        (("--broker", "sandbox", "--market", "generated"), "--market counts for the simulator only"),
        (("--starts", "noon"), "not a time of day"),
        (("--starts", ""), "not a time of day"),
        (("--market", "nowhere.csv"), "no market file"),
    ],
)
def test_the_command_refuses_and_starts_nothing(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """What cannot be run is exit code 2 with a sentence and a remedy, and leaves no folder behind."""
    folder = tmp_path / "desk"
    result = CliRunner().invoke(app, ["up", "--state", str(folder), *words], env={"COLUMNS": "200"})
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert "\nRemedy: " in result.stderr
    assert "Traceback" not in result.output
    assert not folder.exists()


class _Told:
    """A journal that remembers."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, Scalar]] = []

    def line(self, event: str, severity: Severity = Severity.INFO, **fields: Scalar) -> None:
        """Remember one line."""
        self.lines.append((f"{severity.value} {event}", fields.get("detail")))


def test_a_chore_that_is_refused_is_told_once_and_goes_on() -> None:
    """A chore that the machine refuses is in the journal once for each reason and once when it is over, and goes on."""
    kernel, told = Kernel(start=new_york(9, 30), seed=1), _Told()
    chores = Chores(kernel=kernel, journal=told)
    answers: list[Exception | None] = [
        None,
        OSError(28, "full"),
        OSError(28, "full"),
        UserError("dim", remedy="x"),
        None,
    ]
    states = []

    def chore() -> None:
        states.append(chores.refused)
        if answers and (problem := answers.pop(0)):
            raise problem

    chores.start("time", chore, pause=timedelta(seconds=1))
    kernel.run(kernel.now() + timedelta(seconds=6))
    full = str(OSError(28, "full"))
    assert told.lines == [("ERROR refused", full), ("ERROR refused", "dim"), ("WARNING accepted_again", None)]
    assert states == [None, None, full, full, "dim", None, None]
    kernel.close()


def test_a_chore_that_is_broken_ends_the_desk() -> None:
    """An error that is a bug of ours is not swallowed by a chore."""
    kernel = Kernel(start=new_york(9, 30), seed=1)

    def chore() -> None:
        raise LookupError("a bug")

    Chores(kernel=kernel, journal=_Told()).start("time", chore, pause=timedelta(seconds=1))
    with pytest.raises(LookupError):
        kernel.run(kernel.now())
    kernel.close()


@pytest.mark.parametrize(("broker", "buys"), [("simulator", True), ("sandbox", False), ("production", False)])
def test_it_is_said_what_an_entry_needs(broker: Broker, buys: bool) -> None:
    """The banner names what is traded with, and at E*TRADE what an entry needs first."""
    given = load({**GIVEN, "STRATEGY_CONFIG": "demo"})
    shown = traded(given, broker, None)
    assert shown.startswith("configuration demo, 1 symbol, 5,000 USD of capital")
    assert ("needs 20 daily bars" in shown) is not buys
    assert "; 1 of 2 votes suffice, so that a day shows trades; as shipped (--config default) 2 of 4 votes do" in shown
    assert "suffice" not in traded(load({**GIVEN, "STRATEGY_CONFIG": "default"}), broker, None)
    version = Version(number=3, config=load_config("demo"), note="mine.toml 0a1b2c3d", at=new_york(9, 0))
    assert traded(given, broker, version).startswith("configuration version 3 (mine.toml 0a1b2c3d), 1 symbol")


def test_a_file_of_one_s_own_counts_with_every_broker(tmp_path: Path) -> None:
    """`--config FILE.toml` is taken with E*TRADE's quotes too; a name is the simulator's and is refused there."""
    mine = tmp_path / "mine.toml"
    mine.write_text("[limits]\npositions_max = 3\n")
    for broker in ("simulator", "sandbox", "production"):
        wanted = plan(
            broker=broker, mode=Mode.PAPER, cloud="local", speed=1.0, state=Path("desk"), environ={}, config=str(mine)
        )
        assert wanted.own is not None
        assert wanted.own.own.limits.positions_max == 3
    with pytest.raises(UserError, match="--config demo counts for the simulator only"):
        plan(
            broker="production",
            mode=Mode.PAPER,
            cloud="local",
            speed=1.0,
            state=Path("desk"),
            environ={},
            config="demo",
        )


@pytest.mark.parametrize("words", [("up",), ("doctor",)])
def test_a_folder_without_init_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """In a folder where nothing was set up for E*TRADE a start and a check say so, and leave nothing behind."""
    monkeypatch.chdir(tmp_path)
    environ = dict.fromkeys(("STRATEGY_WATCH_LIST", "STRATEGY_CAPITAL_USD", "ETRADE_CONSUMER_KEY"))
    result = CliRunner().invoke(app, [*words, "--broker", "production"], env={"COLUMNS": "200", **environ})
    assert result.exit_code == 2, result.output
    assert f"`strategy init` was not run in this folder, {tmp_path}" in result.stderr
    assert "Remedy: go to the folder in which you ran `strategy init`, or run it here" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_settings_are_checked_before_anything_is_installed(tmp_path: Path) -> None:
    """A wrong setting is told first: no vault is opened to find out which library a source of history needs."""
    Folder(path=tmp_path).vault.write_bytes(b"no vault")
    environ = {**GIVEN, "STRATEGY_CAPITAL_USD": "much", "STRATEGY_HISTORY_SOURCES": "alpaca"}
    with pytest.raises(UserError, match="the settings cannot be used"):
        serve(Plan(state=tmp_path, environ=environ, broker="production"))
