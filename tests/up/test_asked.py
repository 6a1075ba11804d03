"""What a person asks `strategy up` for: what is refused before anything starts, and what the functions never see."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.brokersim.market import open_market
from infra.cli.main import app
from infra.day.problems import UserError
from infra.local.kernel import Kernel
from infra.local.vault import KEY_VARIABLE
from infra.up.chores import Chores
from infra.up.plan import Plan, plan
from infra.up.settings import consumer, settings_of
from shared.ports import Scalar, Severity
from shared.settings import Mode
from tests.up.desks import SEED, new_york, plan_of

PAIR = {"ETRADE_CONSUMER_KEY": "canary-key", "ETRADE_CONSUMER_SECRET": "canary-secret"}
GIVEN = {"STRATEGY_WATCH_LIST": "AAPL", "STRATEGY_CAPITAL_USD": "5000", KEY_VARIABLE: "canary-vault"}


def _sandbox(environ: Mapping[str, str], broker: str = "sandbox") -> dict[str, str]:
    return settings_of(_asked(environ, broker), None)


def _asked(environ: Mapping[str, str], broker: str = "sandbox", **changes: Any) -> Plan:
    given: dict[str, Any] = {"cloud": "local", "mode": Mode.PAPER, "speed": 1.0, "state": Path("desk"), **changes}
    return plan(broker=broker, environ=environ, **given)


def test_the_functions_of_a_sandbox_see_no_secret() -> None:
    """Of a person's environment the functions get the settings alone: no consumer pair, no key of the vault."""
    environ = {**GIVEN, **PAIR, "PATH": "/bin", "AWS_SECRET": "canary"}
    told = {"ETRADE_SANDBOX": "true", "STRATEGY_MODE": "paper"}
    assert _sandbox(environ) == {"STRATEGY_WATCH_LIST": "AAPL", "STRATEGY_CAPITAL_USD": "5000", **told}
    assert consumer(_asked(environ)) == ("canary-key", "canary-secret")
    assert consumer(plan_of(Path("desk"))) is None


def test_the_functions_of_a_simulator_see_no_secret() -> None:
    """A person's own keys do not reach the functions of a simulated desk either."""
    market = open_market("generated", seed=SEED)
    given = settings_of(plan_of(Path("desk"), environ={**GIVEN, **PAIR}), market)
    assert not [value for value in given.values() if "canary" in value]
    assert given["STRATEGY_CAPITAL_USD"] == "5000"


@pytest.mark.parametrize("value", ["false", "0", "No", "perhaps"])
def test_the_broker_that_was_asked_for_decides(value: str) -> None:
    """A person's own flag leads no desk to another broker, and what is wrong besides is all said at once."""
    assert _sandbox({**GIVEN, "ETRADE_SANDBOX": value})["ETRADE_SANDBOX"] == "true"
    assert _sandbox({**GIVEN, "ETRADE_SANDBOX": value}, "production")["ETRADE_SANDBOX"] == "false"
    wrong = {"STRATEGY_CAPITAL_USD": "-1", "ETRADE_RATE_LIMIT": "900"}
    with pytest.raises(UserError) as refused:
        _sandbox({**wrong, "ETRADE_CONSUMER_KEY": "canary-key"})
    for name in (*wrong, "STRATEGY_WATCH_LIST", "ETRADE_CONSUMER_SECRET"):
        assert name in refused.value.what
    assert "canary" not in refused.value.what


def test_plans_that_cannot_be_are_refused() -> None:
    """Live orders at production are refused whatever the cloud, and so is E*TRADE in any time but the real one."""
    for cloud in ("local", "emulators"):
        with pytest.raises(UserError, match="not enabled yet"):
            _asked({}, "production", cloud=cloud, mode=Mode.LIVE)
    for broker in ("sandbox", "production"):
        with pytest.raises(UserError, match="real time"):
            _asked({}, broker, speed=2.0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--broker", "production", "--mode", "live"), "not enabled yet"),
        (("--broker", "sandbox", "--speed", "5"), "real time"),
        (("--starts", "noon"), "no time of day"),
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
