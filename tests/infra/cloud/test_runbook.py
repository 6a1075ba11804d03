"""The runbook holds as far as it can be followed without the cloud."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from shutil import which

import pytest
from typer.testing import CliRunner

from infra.cli.main import app
from infra.components import deployment
from infra.operations.secrets import DRAWN, KINDS
from infra.tools.locks import ROOT
from shared.stored import Domain, database
from shared.topology import TOPOLOGY
from tests.infra.cloud.capture import STACKS, Graph, capture, config_of

RUNBOOK = (ROOT / "infra" / "components" / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", RUNBOOK, re.DOTALL)
NEVER_RUN = "☁"
OWN_STATE, OWN_COPY = "my-desk-1-pulumi-state", "my-desk-1-restore"


def test_the_commands_are_commands() -> None:
    """Every block is well-formed shell, and every target that it calls is in the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert len(BLOCKS) >= 6
    for block in BLOCKS:
        read = subprocess.run(["/bin/bash", "-n"], input=block, capture_output=True, text=True, check=False)
        assert read.returncode == 0, read.stderr
    for target in re.findall(r"\bmake ([a-z-]+)", RUNBOOK):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_what_was_never_run_says_so() -> None:
    """Each step that calls the cloud carries the sign that it was never run against it."""
    steps = re.split(r"\n(?=## )", RUNBOOK)[1:]
    assert len(steps) >= 10
    for step in steps:
        assert (NEVER_RUN in step.split("\n\n")[0]) == bool(re.search(r"gcloud |pulumi |make [a-z]|/start", step)), step


@pytest.mark.parametrize("stack", STACKS)
def test_a_stranger_fills_in_the_stack_file(stack: str, tmp_path: Path) -> None:
    """With the placeholders replaced as told, the stack is accepted and everything in it is the stranger's."""
    own = {"example-project": "my-desk-1", "123456789012": "987654321098", "owner@example.com": "me@example.org"}
    config = config_of(stack)
    for placeholder, value in own.items():
        config = {name: text.replace(placeholder, value) for name, text in config.items()}
    graph = capture(config, stack, tmp_path)
    assert graph.of("Bucket")[0].inputs["name"] == "my-desk-1-source"
    assert not any(one in str([made.inputs for made in graph.custom]) for one in own)
    assert graph.outputs["addresses"]["oauth_callback"] == "https://oauth-callback-987654321098.us-east4.run.app"


def test_names_in_the_runbook_are_the_names() -> None:
    """Jobs, database, secrets and configuration that the runbook names are the stack's, and its buckets are not."""
    paused, resumed = re.findall(r"for job in ([a-z ]+); do gcloud scheduler jobs (?:pause|resume) ", RUNBOOK)
    assert paused.split() == resumed.split() == [schedule.name for schedule in TOPOLOGY.schedules]
    assert set(re.findall(r"strategy secrets set ([a-z-]+)", RUNBOOK)) == set(KINDS) <= set(TOPOLOGY.secrets)
    assert set(re.findall(r"strategy secrets set ([a-z-]+) --generate", RUNBOOK)) == DRAWN
    named = set(re.findall(r"--database=([a-z0-9-]+)(?![a-z0-9$-])", RUNBOOK))
    assert named == {database("desk-1", Domain.BOOK)}
    (unprotected,) = re.findall(r"for one in ([a-z -]+); do\n *gcloud firestore databases update", RUNBOOK)
    assert unprotected.split() == list(Domain)
    buckets = set(re.findall(r"gs://([a-z0-9-]+)", RUNBOOK))
    assert buckets == set(re.findall(r"buckets create gs://([a-z0-9-]+)", RUNBOOK)) == {OWN_STATE, OWN_COPY}
    read = (ROOT / "infra" / "components" / "deployment.py").read_text(encoding="utf-8")
    for name in ("generation", "callbackRegistered"):
        assert f"{{NAMESPACE}}:{name}" in read
    assert deployment.PRODUCTION in STACKS


def test_the_preview_counts_as_the_runbook_says(graphs: Mapping[str, Graph]) -> None:
    """What the first preview creates is told with the groups and the stack, which the engine counts too."""
    (told,) = re.findall(r"make cloud-preview STACK=sandbox +# ([0-9]+) to create", RUNBOOK)
    assert int(told) == len(graphs["sandbox"].resources) + 1


def test_only_the_pushes_are_emptied_before_a_restoration(graphs: Mapping[str, Graph]) -> None:
    """What the runbook filters subscriptions by is in the name of every push, and not in that of the dead letters."""
    (kept,) = re.findall(r"""subscriptions list --filter='name ~ "([^"]+)"'""", RUNBOOK)
    for one in graphs["sandbox"].of("Subscription"):
        assert (kept in one.inputs["name"]) == ("pushConfig" in one.inputs)


def test_each_build_has_its_trigger() -> None:
    """Whoever opens a pull request only reads, main is shown before it is approved, and what changes anything waits."""
    triggers = re.findall(r"gcloud builds triggers create (?:[^\n]|(?<=\\)\n)+", RUNBOOK)
    may_change = {re.findall(r"--name=([a-z-]+)", one)[0]: "$DELIVER" in one for one in triggers}
    assert may_change == {"preview": False, "preview-main": False, "deploy": True, "rollback": True}
    for one in triggers:
        assert ("--require-approval" in one) == ("$DELIVER" in one) != ("$PREVIEW" in one)
        assert ("_DELIVERY=cloud-deploy" in one) == ("--name=deploy" in one)
    files = {*re.findall(r"--build-config=(\S+yaml)", RUNBOOK)}
    assert files == {"cloudbuild.yaml", "infra/cloudbuild-rollback.yaml"}
    assert all((ROOT / file).is_file() for file in files)


def test_the_collections_to_restore_are_all_of_them() -> None:
    """The command that lists what a restoration deletes first prints every collection."""
    (code,) = re.findall(r"'(from shared\.topology.*?)'", RUNBOOK)
    listed = subprocess.run(  # noqa: S603 - what the runbook says, which is ours
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert listed.stdout.strip().split(",") == sorted(TOPOLOGY.within(Domain.BOOK))


@pytest.mark.parametrize("command", re.findall(r"\.venv/bin/strategy ([^`\n]+)", RUNBOOK))
def test_the_owner_s_commands_reach_the_cloud(command: str) -> None:
    """Each command of ours asks the profile `cloud`, and without a project it says so instead of doing something."""
    assert command.endswith(" --profile cloud")
    given = {"GOOGLE_CLOUD_PROJECT": "", "COLUMNS": "200"}
    result = CliRunner().invoke(app, command.split(), input="canary-key\ncanary-secret\n", env=given)
    assert result.exit_code == 2, result.output
    assert "GOOGLE_CLOUD_PROJECT" in result.stderr


def test_what_the_owner_s_commands_are_told_is_what_the_functions_are_told(graphs: Mapping[str, Graph]) -> None:
    """Database, sign-in address and operator of the runbook are those in the functions' environment."""
    given = graphs["sandbox"].one("Function", "oauth_callback").inputs["serviceConfig"]["environmentVariables"]
    exported = dict(re.findall(r"([A-Z_]{8,})=(\S+)", "\n".join(re.findall(r"^export (.*)", RUNBOOK, re.MULTILINE))))
    assert set(exported) == {"GOOGLE_CLOUD_PROJECT", "FIRESTORE_DATABASES", "STRATEGY_SIGN_IN_URL"}
    for name in ("FIRESTORE_DATABASES", "STRATEGY_SIGN_IN_URL"):
        assert exported[name] == given[name]
    assert given["STRATEGY_OPERATOR"] == "owner"


def test_a_protected_stack_is_freed_before_it_is_destroyed() -> None:
    """Both protections go, the engine's and Google's, and `make cloud-destroy`, which looks at them, comes last."""
    (steps,) = [block.splitlines() for block in BLOCKS if "make cloud-destroy STACK=production" in block]
    told = [("unprotect", "--all"), ("update", "--no-delete-protection"), ("destroy",)]
    commands = [step for step in steps if step.strip() != "done" and not step.startswith("for ")]
    assert len(commands) == len(told)
    assert all(word in step for step, words in zip(commands, told, strict=True) for word in words)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert not re.search(r"^\t.*--skip-preview", makefile, re.MULTILINE)


@pytest.mark.long
@pytest.mark.skipif(which("gcloud") is None, reason="no gcloud")
@pytest.mark.parametrize(
    "command", sorted(set(re.findall(r"^ *(gcloud(?: [a-z-]+)+)", "\n".join(BLOCKS), re.MULTILINE)))
)
def test_the_gcloud_commands_are_commands(command: str) -> None:
    """Each command of Google's that the runbook calls is one that its installed tool has, in the release track."""
    words = command.split()
    while len(words) > 2:
        if subprocess.run([*words, "--help"], capture_output=True, check=False).returncode == 0:  # noqa: S603 - the runbook's
            return
        words.pop()  # a value, such as a project's name, which follows the command
    pytest.fail(f"{command} is no command")
