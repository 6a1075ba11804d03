"""The build in the cloud does what the Makefile does, checks before it delivers, and holds no key."""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from importlib.metadata import version
from typing import Any

import pytest
import yaml

from infra.tools.locks import ROOT
from tests.packaging.checkouts import PARTS

BUILD: dict[str, Any] = yaml.safe_load((ROOT / "cloudbuild.yaml").read_text(encoding="utf-8"))
ROLLBACK: dict[str, Any] = yaml.safe_load((ROOT / "infra/cloudbuild-rollback.yaml").read_text(encoding="utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
DELIVERIES = ("cloud-preview", "cloud-deploy")
CHECKS = ["lint", "types", "contracts", "test", "vulnerabilities", "package"]


def faults(build: Mapping[str, Any]) -> Iterator[str]:
    """Name everything in the build that is not a call of the Makefile, or that a key or a shell could hide in."""
    if set(build) - {"steps", "substitutions", "options", "timeout"}:
        yield "has parts that it must not have"
    for step in build["steps"]:
        if set(step) - {"id", "name", "entrypoint", "args", "env"}:
            yield f"{step['id']} has parts that it must not have"
        if step.get("entrypoint") != "make":
            yield f"{step['id']} does not call the Makefile"
        target, *words = step["args"]
        possible = {target} if not target.startswith("$") else set(DELIVERIES)
        if not possible <= TARGETS or any(not re.fullmatch(r"[A-Z]+=\$\{_[A-Z]+\}", word) for word in words):
            yield f"{step['id']} calls what the Makefile does not have"
        if any(not re.fullmatch(r"PULUMI_BACKEND_URL=gs://\$\{_STATE\}", one) for one in step.get("env", ())):
            yield f"{step['id']} is given something in its environment"
        if ":" not in step["name"] or step["name"].endswith(":latest"):
            yield f"{step['id']} runs in an image without a version"
    used, given = set(re.findall(r"\$\{(_[A-Z]+)\}", str(build["steps"]))), build["substitutions"]
    if used != set(given):
        yield "is given other words than it uses"
    if [step["id"] for step in build["steps"]] != [*(CHECKS if "_DELIVERY" in given else ()), "deliver"]:
        yield "does not check everything before it delivers, or checks before it goes back"
    if given.get("_DELIVERY", "cloud-preview") != "cloud-preview":
        yield "delivers when nobody asked for it"


def test_the_build_only_calls_the_makefile() -> None:
    """Every step is one target, checks come before delivery, and delivery is a preview unless a trigger says more."""
    assert list(faults(BUILD)) == []
    assert BUILD["options"]["logging"] == "CLOUD_LOGGING_ONLY"


def test_nothing_stands_before_a_roll_back() -> None:
    """A roll-back is the one call of its target, so neither a red check nor a new hole in a package holds it up."""
    assert list(faults(ROLLBACK)) == []
    (step,) = ROLLBACK["steps"]
    (deliver,) = [one for one in BUILD["steps"] if one["id"] == "deliver"]
    assert step["args"][0] == "cloud-rollback"
    assert {**step, "args": deliver["args"]} == deliver
    assert ROLLBACK["options"]["logging"] == "CLOUD_LOGGING_ONLY"
    assert BUILD["substitutions"].items() - {("_DELIVERY", "cloud-preview")} < ROLLBACK["substitutions"].items()


def test_what_is_delivered_is_tried() -> None:
    """A deployment and a roll-back are tried before they are done, and the checks of a change are the build's."""
    assert re.search(r"^cloud-deploy: cloud-up cloud-smoke cloud-keep ##", MAKEFILE, re.MULTILINE)
    (rollback,) = re.findall(r"^cloud-rollback:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert rollback.rstrip().endswith("cloud-smoke")
    assert re.search(rf"^SOURCES = {' '.join(PARTS)} pyproject.toml$", MAKEFILE, re.MULTILINE)
    (check,) = re.findall(r"^check: ([a-z ]+) ##", MAKEFILE, re.MULTILINE)
    assert set(check.split()) - {"days"} <= set(CHECKS)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("steps", 0, "entrypoint"), "bash"),
        (("steps", 0, "args"), ["lint", "&&", "curl"]),
        (("steps", 0, "args"), ["lint-nothing"]),
        (("steps", 0, "secretEnv"), ["KEY"]),
        (("steps", 6, "env"), ["GOOGLE_CREDENTIALS=x"]),
        (("steps", 0, "name"), "python:latest"),
        (("steps", 0, "id"), "skipped"),
        (("availableSecrets",), {}),
        (("substitutions", "_DELIVERY"), "cloud-deploy"),
        (("substitutions", "_KEY"), "x"),
    ],
)
def test_a_seeded_fault_of_the_build_is_found(path: tuple[Any, ...], value: Any) -> None:
    """A shell, another command, a missing target, a key, a loose image or a lost check is named."""
    build = deepcopy(BUILD)
    place: Any = build
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    assert list(faults(build))


@pytest.mark.parametrize("build", [BUILD, ROLLBACK])
def test_the_engine_is_as_new_as_the_packages(build: Mapping[str, Any]) -> None:
    """What delivers runs in Pulumi's image of the version whose packages are locked."""
    assert build["steps"][-1]["name"] == f"pulumi/pulumi:{version('pulumi')}"
