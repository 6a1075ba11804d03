"""The committed stack files, as shipped or filled in by their owner, are whole, run, and hold no secret."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.components import deployment
from shared.topology import TOPOLOGY
from tests.architecture.files import ROOT, project_files, texts
from tests.infra.cloud.capture import INFRA, OURS, SHIPPED, STACKS, Graph, as_given, capture, committed, run_program

PLACEHOLDER = "example-project"
# What `pulumi stack init` writes beside the configuration: which key seals the state, and the state's own key under it.
OF_THE_STATE = frozenset({"secretsprovider", "encryptedkey", "encryptionsalt"})
# Who reads the stack files; every other test stands on what is shipped.
READERS = {
    "tests/infra/checkout.py", "tests/infra/cloud/capture.py", "tests/infra/cloud/census.py",
    "tests/infra/test_delivery.py",
}  # fmt: skip
HERE = "tests/infra/cloud/test_committed.py"
SEALED = {
    "secretsprovider": "gcpkms://projects/my-desk-1/locations/europe-west3/keyRings/pulumi/cryptoKeys/state",
    "encryptedkey": "as-it-was-written",
}
OWN: Mapping[str, Any] = {
    "gcp:project": "my-desk-1",
    "gcp:region": "europe-west3",
    "gcp:userProjectOverride": True,
    f"{OURS}projectNumber": "987654321098",
    f"{OURS}alertEmails": ["me@example.org", "you@example.org"],
    f"{OURS}generation": 7,
    f"{OURS}customerKeys": True,
}
OWN_OF: Mapping[str, Mapping[str, Any]] = {
    "sandbox": {f"{OURS}owner": "", "STRATEGY_MODE": "live", "STRATEGY_WATCH_LIST": "QQQ,DIA"},
    "production": {
        f"{OURS}owner": "me@example.org",
        f"{OURS}callbackRegistered": True,
        f"{OURS}trailDays": 400,
        "STRATEGY_WATCH_LIST": "QQQ",
    },
}


def faults(stack: str, given: Mapping[str, Any]) -> Iterator[str]:
    """Name what a stack file holds that must not be committed, and where one that is shipped is not as shipped."""
    config = given["config"]
    is_shipped = config["gcp:project"] == PLACEHOLDER
    if set(given) - {"config"} - (frozenset() if is_shipped else OF_THE_STATE):
        yield "has parts that it must not have"
    if '"secure"' in json.dumps(given):
        yield "holds a secret"
    if is_shipped and config != SHIPPED[stack]:
        yield f"is filled in, but its project is still {PLACEHOLDER}"


def filled_in(stack: str) -> dict[str, Any]:
    """Give a stack file as an owner has it: a project and choices of their own, and what `stack init` wrote."""
    changed = {**OWN, **OWN_OF[stack]}
    config = {
        name: value for name, value in SHIPPED[stack].items() if name not in (f"{OURS}billingAccount", f"{OURS}budget")
    }
    config |= {name: value for name, value in changed.items() if ":" in name}
    chosen = {name: value for name, value in changed.items() if ":" not in name}
    config[f"{OURS}settings"] = {**config[f"{OURS}settings"], **chosen}
    return {**SEALED, "config": config}


def _shape(graph: Graph) -> Mapping[str, object]:
    """Give what the engine is told of each resource; an archive's place on this machine is left out."""
    return {
        urn: (one.protect, one.parent, one.after, {**one.inputs, "source": 0}) for urn, one in graph.resources.items()
    }


@pytest.mark.parametrize("stack", STACKS)
def test_the_program_runs_as_committed(stack: str, tmp_path: Path) -> None:
    """The program registers, from a committed stack file, exactly what the components make of it."""
    config = as_given(committed(stack)["config"])
    assert _shape(run_program(config, stack)) == _shape(capture(config, stack, tmp_path))


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_file_holds_no_secret(stack: str) -> None:
    """A stack file has nothing secure, and as long as it is as shipped, obvious placeholders and no key of a state."""
    assert list(faults(stack, committed(stack))) == []


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize(
    "seed",
    [
        {"secretsprovider": "passphrase"},
        {"encryptionsalt": "v1:x"},
        {"config": {"gcp:region": "us-east1"}},
        {"config": {f"{OURS}owner": "me@example.org"}},
        {"config": {"gcp:project": "my-desk-1", f"{OURS}owner": {"secure": "x"}}},
        {"config": {"gcp:project": "my-desk-1"}, "environment": ["x"]},
    ],
)
def test_a_seeded_stack_file_is_refused(stack: str, seed: Mapping[str, Any]) -> None:
    """A key, a changed value and half a filling in of what is shipped are named, and so is a secret of anybody's."""
    given = deepcopy({"config": dict(SHIPPED[stack])})
    given["config"] |= seed.get("config", {})
    assert list(faults(stack, {**seed, **given}))


def test_only_these_tests_read_the_stack_files() -> None:
    """What its owner fills in reaches no other test."""
    words = ("Pulumi.{", "Pulumi.*", *(f"Pulumi.{stack}" for stack in STACKS), "committed(")
    readers = {path for path, text in texts("tests", suffix=".py").items() if any(word in text for word in words)}
    assert readers == READERS | {HERE}


def test_filled_in_stack_files_pass(tmp_path: Path) -> None:
    """In a checkout whose owner filled in both stack files, and committed what `stack init` wrote, the tests pass."""
    for file in project_files():
        copy = tmp_path / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    for stack in STACKS:
        own = filled_in(stack)
        assert deployment.read(as_given(own["config"]), stack=stack, topology=TOPOLOGY).project == "my-desk-1"
        (tmp_path / INFRA.name / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    # Only these are run there: by the test above, no other can tell the difference.
    leave_out = f"{HERE}::{test_filled_in_stack_files_pass.__name__}"
    ran = subprocess.run(  # noqa: S603 - our own tests
        [sys.executable, "-m", "pytest", "-q", "--numprocesses", "0", "--deselect", leave_out, HERE],
        cwd=tmp_path,
        env={**environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-4000:]
