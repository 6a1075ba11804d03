"""After a `cloud-up` that was killed, `make cloud-mend` brings the stack to where it would have: with stand-ins."""

from typing import Any

import pytest

from tests.infra.checkout import Repository, exported
from tests.infra.test_delivery import EXPORT, UP

URN = "urn:pulumi:sandbox::etrade-strategy::strategy:index:System"
GROUP = f"{URN}$strategy:index:Database::database"
STACK = ("--stack", "sandbox")
SCHEDULE = "projects/example-project/databases/desk-1/backupSchedules/2f"


def _urn(typ: str, name: str) -> str:
    return f"{URN}${typ}::{name}"


def _making(typ: str, name: str, /, *, protect: bool = False, **inputs: Any) -> tuple[str, dict[str, Any]]:
    made = {"type": typ, "custom": True, "parent": GROUP, "protect": protect, "inputs": inputs}
    return _urn(typ, name), made


DATABASE = _making("gcp:firestore/database:Database", "desk", protect=True, name="desk-1")
TOPIC = _making("gcp:pubsub/topic:Topic", "exits", name="exits")
ALERT = _making("gcp:monitoring/alertPolicy:AlertPolicy", "broken", displayName="Something")
GRANT = _making("gcp:pubsub/topicIAMMember:TopicIAMMember", "a-grant", topic="exits")
BACKUPS = _making("gcp:firestore/backupSchedule:BackupSchedule", "each-day", database="desk-1", dailyRecurrence={})
KILLED = exported({}, dict([DATABASE, TOPIC, ALERT, GRANT, BACKUPS]))
AT_GOOGLE = {"desk": "projects/example-project/databases/desk-1", "each-day": SCHEDULE}
LISTED = [{"name": SCHEDULE, "dailyRecurrence": {}}]


def _import(one: tuple[str, dict[str, Any]], ident: str, protect: str = "false") -> list[str]:
    name = one[0].rpartition("::")[2]
    return [
        "import", one[1]["type"], name, ident, *STACK, "--yes", "--generate-code=false", f"--protect={protect}",
        "--parent", f"parent={GROUP}",
    ]  # fmt: skip


@pytest.fixture
def killed(repository: Repository) -> Repository:
    """Give a stack as a killed `cloud-up` leaves it: locked, and with two things made that the engine does not know."""
    repository.put(state=KILLED, google=AT_GOOGLE, listed=LISTED, lock="")
    return repository


def test_an_up_alone_does_not_mend(killed: Repository) -> None:
    """A lock stops the next `cloud-up`, and without the lock the database that exists does, as the engine does it."""
    assert "locked" in killed.make("cloud-up").stderr
    (killed.folder / "bin" / "lock").unlink()
    assert "already exists" in killed.make("cloud-up").stderr


def test_a_killed_up_is_mended(killed: Repository) -> None:
    """The lock goes, what exists is imported under its group and as protected as it will be, the rest is made."""
    ran = killed.make("cloud-mend")
    assert ran.returncode == 0, ran.stderr
    database, topic = (
        _import(DATABASE, AT_GOOGLE["desk"], "true"),
        _import(TOPIC, "projects/example-project/topics/exits"),
    )
    assert killed.told == [
        ["install"], ["cancel", *STACK, "--yes"], EXPORT, database, topic, _import(BACKUPS, SCHEDULE),
        UP, EXPORT, ["refresh", *STACK, "--yes", "--clear-pending-creates"],
    ]  # fmt: skip
    known = {one["urn"]: one["id"] for one in killed.state["resources"]}
    assert known[DATABASE[0]] == AT_GOOGLE["desk"]
    assert all(urn in known for urn, _ in (DATABASE, TOPIC, ALERT, GRANT, BACKUPS))
    assert killed.state["pending_operations"] == []


def test_it_says_what_it_does_before_it_does_it(killed: Repository) -> None:
    """What becomes of each is printed first; what may be there twice is named at the end, with the one that is ours."""
    said = killed.make("cloud-mend").stdout
    first = said.index("$ pulumi import")
    for line in (
        "Database desk: to be imported if it is at Google", "BackupSchedule each-day: to be looked for",
        "TopicIAMMember a-grant: made again", "AlertPolicy broken: made again by `cloud-up`, and perhaps there twice",
    ):  # fmt: skip
        assert said.index(line) < first, line
    assert "Topic exits: not imported; where it is not at Google, `cloud-up` makes it now" in said
    assert "look whether it is there twice, at Monitoring > Alerting > Policies" in said
    assert "The stack's is drawn-broken; delete the other there." in said


def test_a_second_mend_does_nothing(killed: Repository) -> None:
    """Once mended, a further run imports nothing, forgets nothing and ends well."""
    assert killed.make("cloud-mend").returncode == 0
    before, told = killed.state, len(killed.told)
    ran = killed.make("cloud-mend")
    assert ran.returncode == 0, ran.stderr
    assert killed.told[told:] == [["install"], ["cancel", *STACK, "--yes"], EXPORT, UP, EXPORT]
    assert "nothing to import" in ran.stdout
    assert killed.state == before


def test_a_mend_that_does_not_get_through_forgets_nothing(killed: Repository) -> None:
    """While `cloud-up` still fails, what was being made stays written down, so that the next run can take it in."""
    killed.put(google={**AT_GOOGLE, "exits": "a topic that cannot be read"})
    assert killed.make("cloud-mend").returncode != 0
    assert len(killed.state["pending_operations"]) == 5
    killed.put(google=AT_GOOGLE)
    assert killed.make("cloud-mend").returncode == 0
    assert [call[2] for call in killed.told if call[0] == "import"].count("desk") == 1


@pytest.mark.parametrize("listed", [[], [*LISTED, {"name": "another", "dailyRecurrence": {}}]])
def test_what_google_s_list_does_not_tell_apart_is_not_taken(killed: Repository, listed: list[dict[str, Any]]) -> None:
    """One that Google names itself is imported when exactly one is like it, and else left to `cloud-up`."""
    killed.put(listed=listed, google={"desk": AT_GOOGLE["desk"]})
    ran = killed.make("cloud-mend")
    assert ran.returncode == 0, ran.stderr
    assert f"Google's list has {len(listed)} like it" in ran.stdout
    assert "each-day" not in [call[2] for call in killed.told if call[0] == "import"]


def test_an_unknown_kind_and_a_lost_input_are_named(repository: Repository) -> None:
    """What cannot be imported by itself is said, with the input that is not there, and the rest is mended."""
    odd, bare = _making("gcp:compute/network:Network", "net"), _making("gcp:pubsub/topic:Topic", "bare")
    repository.put(state=exported({}, dict([odd, bare, DATABASE])), google=AT_GOOGLE)
    ran = repository.make("cloud-mend")
    assert ran.returncode == 0, ran.stderr
    assert "Network net: is not of a kind that is known here" in ran.stdout
    assert "Topic bare: name is not written down" in ran.stdout
    assert [call[2] for call in repository.told if call[0] == "import"] == ["desk"]


def test_a_stack_that_cannot_be_read_is_left_alone(repository: Repository) -> None:
    """Without a state nothing is imported and no `cloud-up` follows."""
    ran = repository.make("cloud-mend")
    assert ran.returncode != 0
    assert "nothing was imported. Pulumi says: error: no stack named so" in ran.stderr
    assert [call[0] for call in repository.told] == ["install", "cancel", "stack"]


FUNCTION = "gcp:cloudfunctionsv2/function:Function"


def _function(name: str, state: str, region: str = "us-east4") -> dict[str, str]:
    return {"name": f"projects/example-project/locations/{region}/functions/{name}", "state": state}


@pytest.fixture
def with_functions(repository: Repository) -> Repository:
    """Give a stack of three functions, one of them still being made, in a project with others."""
    made = [_making(FUNCTION, one, name=one, location="us-east4") for one in ("market-scan", "notify", "token-refresh")]
    repository.put(state=exported(dict(made[:2]), dict(made[2:])))
    listed = [
        _function("market-scan", "FAILED"), _function("notify", "ACTIVE"), _function("token-refresh", "FAILED"),
        _function("another-s", "FAILED"), _function("notify", "FAILED", "europe-west1"),
    ]  # fmt: skip
    repository.put(listed=listed)
    return repository


def test_failed_functions_of_the_stack_are_deleted(with_functions: Repository) -> None:
    """Those that Google calls FAILED are shown and deleted; what works, or is not the stack's, is not touched."""
    ran = with_functions.make("cloud-clear-failed")
    assert ran.returncode == 0, ran.stderr
    listed, *deleted = with_functions.google_told
    assert listed[:3] == ["functions", "list", "--v2"]
    assert {"--project=example-project", "--regions=us-east4", "--filter=state=FAILED"} < set(listed)
    where = ["--region=us-east4", "--project=example-project", "--quiet"]
    assert deleted == [["functions", "delete", name, *where] for name in ("market-scan", "token-refresh")]
    assert ran.stdout.index("market-scan in us-east4 is FAILED") < ran.stdout.index("Now: make cloud-up")


def test_nothing_failed_and_nothing_is_deleted(with_functions: Repository) -> None:
    """Where no function of the stack failed, nothing is deleted, and it says so."""
    with_functions.put(listed=[_function("market-scan", "ACTIVE"), _function("another-s", "FAILED")])
    ran = with_functions.make("cloud-clear-failed")
    assert ran.returncode == 0, ran.stderr
    assert "nothing was deleted" in ran.stdout
    assert not [call for call in with_functions.google_told if "delete" in call]


def test_a_function_that_stays_is_named(with_functions: Repository) -> None:
    """A deletion that Google refuses is a failure that names the function."""
    with_functions.put(undeletable="")
    ran = with_functions.make("cloud-clear-failed")
    assert ran.returncode != 0
    assert "market-scan could not be deleted" in ran.stderr
    assert "make cloud-up" not in ran.stdout
