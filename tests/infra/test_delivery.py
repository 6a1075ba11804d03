"""The delivery targets of the Makefile, run for real in a repository of their own, Pulumi and gcloud stood in for."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.files import ROOT
from tests.infra.checkout import Repository, exported, git
from tests.packaging.checkouts import hashes

OUTPUTS = ["stack", "output", "--stack", "sandbox", "--json"]
EXPORT = ["stack", "export", "--stack", "sandbox"]
UP = ["up", "--stack", "sandbox", "--yes", "--parallel", "32"]
PREVIEW = ["preview", "--stack", "sandbox", "--refresh=false"]
DATABASE = "gcp:firestore/database:Database"


def _database(name: str, protect: bool, kept: str, policy: str = "DELETE") -> dict[str, Any]:
    outputs = {"name": name, "deleteProtectionState": f"DELETE_PROTECTION_{kept}", "deletionPolicy": policy}
    return {"type": DATABASE, "custom": True, "protect": protect, "inputs": {}, "outputs": outputs}


FREE = {
    "urn:pulumi:sandbox::a::desk-1": _database("desk-1", False, "DISABLED"),
    "urn:pulumi:sandbox::a::book-1": _database("book-1", False, "DISABLED"),
}


def test_a_preview_is_short_until_there_is_something_to_compare(repository: Repository) -> None:
    """A stack that does not exist, or has nothing yet, is shown without its properties; one that stands, with them."""
    for state, told in (
        (None, PREVIEW),
        ({"version": 3, "deployment": {}}, PREVIEW),
        (exported({}, {}), [*PREVIEW, "--diff"]),
    ):
        if state:
            repository.put(state=state)
        ran = repository.make("cloud-preview", "STACK=sandbox")
        assert ran.returncode == 0, ran.stderr
        assert repository.told[-3:] == [["install"], EXPORT, told]


def test_a_deployment_is_tried(repository: Repository) -> None:
    """A deployment names the stack, waits for many things at once, and asks the stack afterwards."""
    ran = repository.make("cloud-deploy", "STACK=sandbox")
    assert ran.returncode == 0, ran.stderr
    assert repository.told == [["install"], UP, OUTPUTS]


def test_a_destruction_looks_before_it_begins(repository: Repository) -> None:
    """The state is what Google has now, nothing is in the way, and the engine's own preview is not skipped."""
    kept = {"urn:pulumi:sandbox::a::desk-1": _database("desk-1", False, "ENABLED")}
    repository.put(state=exported(kept, {}), refreshed=exported(FREE, {}))
    ran = repository.make("cloud-destroy", "STACK=sandbox")
    assert ran.returncode == 0, ran.stderr
    refresh, destroy = ["refresh", "--stack", "sandbox", "--yes"], ["destroy", "--stack", "sandbox", "--yes"]
    assert repository.told == [["install"], refresh, EXPORT, destroy]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"urn:pulumi:sandbox::a::desk-1": _database("desk-1", True, "DISABLED")}, "desk-1 is protected in the stack"),
        (
            {"urn:pulumi:sandbox::a::latch": {"type": "strategy:index:Latch", "protect": True}},
            "unprotect --all --stack sandbox",
        ),
        (
            {"urn:pulumi:sandbox::a::book-1": _database("book-1", False, "ENABLED")},
            "--database=book-1 --no-delete-protection",
        ),
        (
            {"urn:pulumi:sandbox::a::book-1": _database("book-1", False, "DISABLED", "ABANDON")},
            "book-1 would be left behind",
        ),
    ],
)
def test_a_destruction_that_would_stop_half_way_does_not_begin(
    repository: Repository, changed: dict[str, Any], said: str
) -> None:
    """What the engine protects, any database that Google protects, and one that would stay, each keeps everything."""
    repository.put(state=exported(FREE, {}), refreshed=exported({**FREE, **changed}, {}))
    ran = repository.make("cloud-destroy", "STACK=sandbox")
    assert ran.returncode != 0
    assert "Nothing was destroyed" in ran.stderr
    assert said in ran.stderr
    assert not [call for call in repository.told if call[0] == "destroy"]


def test_what_a_killed_up_was_making_is_not_left_behind(repository: Repository) -> None:
    """What the engine was making and does not know keeps a destruction from beginning; a grant goes with its thing."""
    making = {
        "urn:pulumi:sandbox::a::exits": {"type": "gcp:pubsub/topic:Topic", "custom": True},
        "urn:pulumi:sandbox::a::a-grant": {"type": "gcp:pubsub/topicIAMMember:TopicIAMMember", "custom": True},
    }
    repository.put(state=exported(FREE, making))
    ran = repository.make("cloud-destroy", "STACK=sandbox")
    assert ran.returncode != 0
    assert "Topic exits, of a `cloud-up` that was killed" in ran.stderr
    assert "a-grant" not in ran.stderr
    assert not [call for call in repository.told if call[0] == "destroy"]


def test_a_stack_that_cannot_be_read_is_not_destroyed(repository: Repository) -> None:
    """Without a state nothing is known to be free, so nothing begins."""
    ran = repository.make("cloud-destroy", "STACK=sandbox")
    assert ran.returncode != 0
    assert "could not be read" in ran.stderr
    assert not [call for call in repository.told if call[0] == "destroy"]


def _injected(repository: Repository, text: str) -> list[tuple[str, ...]]:
    """Give the calls with which such a text became a command of the shell."""
    calls = [
        ("cloud-rollback", f"TO={text}"),
        ("cloud-rollback", f"TO={'0' * 40}", f"STATE={text}"),
        ("cloud-keep", f"STATE={text}"),
        ("cloud-preview", f"STACK={text}"),
    ]
    found = []
    for words in calls:
        repository.make(*words)
        made = list(repository.folder.rglob("INJECTED"))
        found += [words] if made else []
        for one in made:
            one.unlink()
    return found


@pytest.mark.parametrize("text", ['x" ; touch INJECTED ; : "', "$(shell touch INJECTED)", "`touch INJECTED`"])
def test_what_a_build_is_started_with_is_no_command(repository: Repository, text: str) -> None:
    """Neither make nor the shell reads anything in a commit, a bucket or a stack that somebody names."""
    assert _injected(repository, text) == []
    assert ["preview", "--stack", text, "--refresh=false"] in repository.told
    makefile = repository.folder / "Makefile"
    careless = re.sub(r"\$\$(TO|STATE|STACK)\b", r"$(\1)", makefile.read_text(encoding="utf-8"))
    makefile.write_text(re.sub(r"(?m)^override .*\n", "", careless), encoding="utf-8")
    assert len(_injected(repository, text)) == 4, "the careless Makefile is not caught"


def test_a_rollback_deploys_the_functions_of_its_commit(repository: Repository, tmp_path: Path) -> None:
    """The functions are the very ones of the commit, the stack file stays as it is, and the result is tried."""
    before = (repository.folder / "infra" / "Pulumi.sandbox.yaml").read_bytes()
    ran = repository.make("cloud-rollback", f"TO={repository.first}", "STACK=sandbox")
    assert ran.returncode == 0, ran.stderr
    rebuilt = repository.folder / "build" / "rollback"
    assert hashes(rebuilt) == hashes(ROOT) != hashes(repository.folder)
    install, up, smoke = repository.told
    file = str(repository.folder / "build" / "rollback.yaml")
    assert install == ["install"]
    assert up == [*UP, "--config-file", file, "--config", "etrade-strategy:source=build/rollback"]
    assert smoke == OUTPUTS
    assert (repository.folder / "infra" / "Pulumi.sandbox.yaml").read_bytes() == before == Path(file).read_bytes()


def test_a_build_goes_back_without_the_repository(repository: Repository) -> None:
    """What a deployment kept is what a later build, which can fetch no other commit, rolls back to."""
    git(repository.folder, "checkout", "--quiet", repository.first)
    assert repository.make("cloud-keep", "STATE=the-state").returncode == 0
    git(repository.folder, "checkout", "--quiet", "-")
    build = repository.clone()
    ran = build.make("cloud-rollback", f"TO={repository.first}", "STACK=sandbox", "STATE=the-state")
    assert ran.returncode == 0, ran.stderr
    assert hashes(build.folder / "build" / "rollback") == hashes(ROOT)


def test_a_deployment_that_fails_is_not_kept(repository: Repository, tmp_path: Path) -> None:
    """Only what passed the smoke test can be gone back to."""
    (repository.folder / "bin" / "pulumi").write_text("#!/bin/sh\necho '{}'\n")
    assert repository.make("cloud-deploy", "STACK=sandbox", "STATE=the-state").returncode != 0
    assert not (tmp_path / "the-state").exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "Name the commit"),
        (("TO=0123456",), "no bucket to look for it in"),
        (("TO=0123456", "STATE=x"), "a commit's full id"),
        (("TO=" + "g" * 40, "STATE=x"), "a commit's full id"),
        (("TO=" + "0" * 40, "STATE=x"), "No such file"),
        (("TO=--all", "STATE=x"), "a commit's full id"),
    ],
)
def test_a_rollback_to_nowhere_touches_nothing(repository: Repository, words: tuple[str, ...], why: str) -> None:
    """Without a commit, or with one that does not exist or was never kept, nothing is told to Pulumi."""
    ran = repository.make("cloud-rollback", *words)
    assert ran.returncode != 0
    assert why in ran.stderr
    assert repository.told == []
