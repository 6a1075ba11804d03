"""A stack's values are all known, and a wrong one is refused with every problem before anything is registered."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime import settings

from infra.archives import build_all
from infra.components import deployment
from shared.errors import ConfigError
from shared.stored import Domain
from shared.topology import TOPOLOGY, Function, Topology
from tests.architecture.files import ROOT
from tests.infra.cloud.capture import INFRA, OURS, PULUMI_PROJECT, STACK, STACKS, Graph, config_of, run_program
from tests.packaging.checkouts import copy_checkout


def _problems(config: Mapping[str, str], stack: str = "sandbox", topology: Topology = TOPOLOGY) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        deployment.read(config, stack=stack, topology=topology)
    return caught.value.problems


def test_an_earlier_checkout_can_be_deployed(graphs: Mapping[str, Graph], tmp_path: Path) -> None:
    """A stack that names another checkout deploys its archives, named as they were then, and changes nothing else."""
    earlier = copy_checkout(tmp_path)
    (earlier / "functions" / "market_scan" / "main.py").write_bytes(
        (ROOT / "functions" / "market_scan" / "main.py").read_bytes() + b"# as it was\n"
    )
    graph = run_program({**config_of("sandbox"), f"{OURS}source": str(earlier)}, "sandbox")
    expected = {one.function: f"functions/{one.name}" for one in build_all(earlier)}
    found = {one.name.removeprefix("archive-"): one.inputs["name"] for one in graph.of("BucketObject")}
    assert found == expected
    changed = {
        one.name
        for urn, one in graph.resources.items()
        if {**one.inputs, "source": 0} != {**graphs["sandbox"].resources[urn].inputs, "source": 0}
    }
    assert changed == {"market_scan", "archive-market_scan"}


def test_the_project_file_says_how_it_is_run() -> None:
    """The engine looks at Google first, and makes an environment of its own with pip, from what lies beside it."""
    project = yaml.safe_load((INFRA / "Pulumi.yaml").read_text(encoding="utf-8"))
    assert project["name"] == PULUMI_PROJECT == deployment.NAMESPACE
    assert project["options"] == {"refresh": "always"}
    assert project["runtime"] == {"name": "python", "options": {"toolchain": "pip", "virtualenv": "venv"}}
    pinned = set(re.findall(r"^([a-z0-9-]+)==", (INFRA / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"pulumi", "pulumi-gcp"} <= pinned


def test_an_old_interpreter_is_told_so() -> None:
    """Started with a Python that is too old, the program says which one it needs before it uses what that one lacks."""
    script = (
        "import pulumi, runpy, sys; sys.modules['tomllib'] = None; sys.version_info = (3, 10, 13, 'final', 0);"
        f"runpy.run_path({str(ROOT / 'infra')!r}, run_name='__main__')"
    )
    call = [sys.executable, "-c", script]
    ran = subprocess.run(call, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1].startswith("pulumi.errors.RunError: the program needs Python 3.11 or newer")


def test_every_value_of_a_stack_is_shipped() -> None:
    """A value that stood in neither stack file would be known to nobody; another checkout is named by a roll-back."""
    assert set(deployment._VALUES) == set().union(*map(config_of, STACKS)) | {f"{OURS}source"}


def test_production_is_the_protected_one() -> None:
    """Both stacks read; production is protected, keeps its trail for years and trades, the sandbox does not."""
    production, sandbox = (
        deployment.read(config_of(stack), stack=stack, topology=TOPOLOGY) for stack in ("production", "sandbox")
    )
    assert (production.protect, sandbox.protect) == (True, False)
    assert production.trail_days >= 365
    assert (production.settings["ETRADE_SANDBOX"], sandbox.settings["ETRADE_SANDBOX"]) == ("false", "true")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gcp:project", "No"),
        ("gcp:region", "New York"),
        (f"{OURS}projectNumber", "0123456"),
        (f"{OURS}owner", "somebody"),
        (f"{OURS}owner", "owner@-.-"),
        (f"{OURS}alertEmails", "me@example.com"),
        (f"{OURS}alertEmails", '["not an address"]'),
        (f"{OURS}alertEmails", json.dumps([f"{n}@example.com" for n in range(6)])),
        (f"{OURS}billingAccount", "123"),
        (f"{OURS}budget", "0"),
        (f"{OURS}budget", "many"),
        (f"{OURS}generation", "-1"),
        (f"{OURS}protect", "yes"),
        (f"{OURS}customerKeys", "1"),
        (f"{OURS}trailDays", "99999"),
        (f"{OURS}callbackRegistered", ""),
        (f"{OURS}settings", "[]"),
        (f"{OURS}settings", '{"STRATEGY_CAPITAL_USD": 5}'),
        (f"{OURS}settings", "not JSON"),
        (f"{OURS}protected", "true"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    """Each value that cannot be used, and each name that is not known, is a problem that names it."""
    assert any(problem.startswith(name) for problem in _problems({**config_of("sandbox"), name: value}))


@pytest.mark.parametrize(
    ("chosen", "named"),
    [
        ({"STRATEGY_CAPITAL_USD": "1"}, "STRATEGY_CAPITAL_USD"),
        ({"STRATEGY_WATCHLIST": "SPY"}, "STRATEGY_WATCHLIST is no setting"),
        ({"ETRADE_CONSUMER_KEY": "k", "ETRADE_CONSUMER_SECRET": "s"}, "ETRADE_CONSUMER_SECRET is no setting"),
        ({"ETRADE_OAUTH_CALLBACK_URL": "https://example.com/callback"}, "CALLBACK_URL is computed"),
        ({"STRATEGY_SIGN_IN_URL": "https://example.com/start"}, "SIGN_IN_URL is computed"),
        ({"STRATEGY_NOTIFY_ADDRESSES": "ntfys://canary"}, "STRATEGY_NOTIFY_ADDRESSES is no setting"),
        ({"STRATEGY_MODE": "live", "ETRADE_SANDBOX": "false"}, "live orders at production are not enabled yet"),
        ({"STRATEGY_MODE": "live", "ETRADE_SANDBOX": "false", "STRATEGY_CONFIG": "x"}, "are not enabled yet"),
        ({"STRATEGY_WATCH_LIST": ""}, "STRATEGY_WATCH_LIST"),
        ({"ETRADE_ACCOUNT_ID": ""}, "ETRADE_ACCOUNT_ID is empty; leave it out"),
    ],
)
def test_a_wrong_setting_is_named(chosen: Mapping[str, str], named: str) -> None:
    """The functions' settings are judged by the functions' own rules, and none of them may be a secret."""
    given = config_of("sandbox")
    whole = {**json.loads(given[f"{OURS}settings"]), **chosen}
    assert any(named in problem for problem in _problems({**given, f"{OURS}settings": json.dumps(whole)}))


def test_an_unquoted_setting_is_named_with_what_to_do() -> None:
    """What YAML takes for something else than a text is named entry by entry, and nothing else is complained of."""
    given = config_of("sandbox")
    chosen = {**json.loads(given[f"{OURS}settings"]), "ETRADE_SANDBOX": True, "STRATEGY_CAPITAL_USD": 5}
    assert _problems({**given, f"{OURS}settings": json.dumps(chosen)}) == (
        f"{OURS}settings: ETRADE_SANDBOX is true, which is no text: quote it",
        f"{OURS}settings: STRATEGY_CAPITAL_USD is 5, which is no text: quote it",
    )


@pytest.mark.parametrize(
    ("changed", "stack", "named"),
    [
        ({f"{OURS}protect": "false"}, "production", "protect is false"),
        ({f"{OURS}trailDays": "30"}, "production", "trailDays is too short"),
        ({f"{OURS}trailDays": "400"}, "sandbox", "only a protected stack keeps a trail"),
        ({f"{OURS}alertEmails": "[]"}, "production", "alertEmails is empty"),
        ({f"{OURS}protect": "false"}, "prod", "protect is false"),
        ({f"{OURS}alertEmails": "[]"}, "prod", "alertEmails is empty"),
        ({f"{OURS}owner": "", f"{OURS}callbackRegistered": "true"}, "sandbox", "without an owner"),
    ],
)
def test_values_that_do_not_go_together_are_named(changed: Mapping[str, str], stack: str, named: str) -> None:
    """An unprotected production, a short trail, nobody to tell and a callback that nobody may call are refused."""
    committed = config_of("production" if stack == "prod" else stack)
    assert any(named in problem for problem in _problems({**committed, **changed}, stack))


def test_what_is_left_of_the_example_is_named() -> None:
    """A stack of another project is warned of every value that is still the example's; the example itself is not."""
    config = config_of("production")
    assert deployment.left_over(deployment.read(config, stack="production", topology=TOPOLOGY)) == ()
    half = {**config, "gcp:project": "my-desk-1"}
    warnings = deployment.left_over(deployment.read(half, stack="production", topology=TOPOLOGY))
    assert [one.partition(" ")[0] for one in warnings] == ["projectNumber", "owner", "alertEmails", "billingAccount"]
    whole = {name: value.replace("example.com", "example.org") for name, value in half.items()}
    whole |= {f"{OURS}projectNumber": "987654321098", f"{OURS}billingAccount": "ABCDEF-012345-6789AB"}
    assert deployment.left_over(deployment.read(whole, stack="production", topology=TOPOLOGY)) == ()


def test_a_name_that_google_could_not_take_is_a_problem() -> None:
    """A function whose account or address would be too long is named before anything is made."""
    long = Function(name="a_function_with_a_very_long_name", purpose="nothing", home=Domain.BOOK)
    topology = Topology(functions=(long,), topics={}, schedules=(), secrets={}, collections={})
    assert any(problem.startswith(long.name) for problem in _problems(config_of("sandbox"), topology=topology))


def test_every_problem_is_told_at_once() -> None:
    """An empty configuration misses each value that has no default, all in one message."""
    problems = _problems({})
    for name in ("gcp:project", "gcp:region", "projectNumber", "protect", "settings"):
        assert any(f"{name} is not set" in problem for problem in problems)
    assert any("STRATEGY_WATCH_LIST" in problem for problem in problems)


def test_a_problem_brings_no_false_ones_along() -> None:
    """Settings that cannot be read are one problem: what they would have said is not called missing."""
    assert len(_problems({**config_of("sandbox"), f"{OURS}settings": "not JSON"})) == 1


def test_a_checkout_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A stack that deploys another checkout's functions says so when there is none, or a file cannot be read."""
    for source in (tmp_path / "nowhere", _half_a_checkout(tmp_path / "half")):
        with pytest.raises(pulumi.RunError, match=r"market_scan|archives cannot be built"):
            run_program({**config_of("sandbox"), f"{OURS}source": str(source)}, "sandbox")


def _half_a_checkout(folder: Path) -> Path:
    (folder / "functions" / "market_scan" / "main.py").mkdir(parents=True)
    return folder


def test_a_wrong_stack_registers_nothing() -> None:
    """The program ends with one message that has all problems, and registers no resource before."""
    wrong = {**config_of("sandbox"), "gcp:region": "nowhere", f"{OURS}protected": "true"}
    with pytest.raises(pulumi.RunError, match=r"(?s)protected is not known.*gcp:region"):
        run_program(wrong, "sandbox")
    monitor: Any = settings.get_monitor()
    assert not [urn for urn in monitor.get_registered_resources() if STACK not in urn]


def test_nothing_secret_leaves_a_stack(graphs: Mapping[str, Graph]) -> None:
    """The outputs are names and addresses, and no resource is given a secret's value."""
    for graph in graphs.values():
        assert set(graph.outputs) == {"archives", "addresses", "public", "states", "databases"}
        assert not graph.of("SecretVersion")
        for function in graph.of("Function"):
            assert not {"secretEnvironmentVariables", "secretVolumes"} & set(function.inputs["serviceConfig"])


def test_archives_and_topology_must_agree(tmp_path: Path) -> None:
    """A function without a folder, and a folder without a function, are both named."""
    from infra.components.system import System, SystemArgs

    chosen = deployment.read(config_of("sandbox"), stack="sandbox", topology=TOPOLOGY)
    archives = {one.name: tmp_path for one in TOPOLOGY.functions[1:]} | {"attic": tmp_path}
    with pytest.raises(ConfigError, match=r"(?s)oauth_callback.*no such folder.*attic.*does not name it"):
        System("desk", SystemArgs(deployment=chosen, topology=TOPOLOGY, archives=archives))
