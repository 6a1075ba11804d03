"""What the engine does with the program: a preview that knows little, an update without a difference, a destroy."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from pulumi.output import Unknown

from tests.infra.cloud.capture import STACKS, Graph, Registered, config_of, leaves, run_program

LEARNED = {
    "keyRing", "kmsKeyName", "cryptoKeyId",  # ids of the owner's own keys
    "topic", "topicName", "deadLetterTopic", "notificationChannels", "monitoringNotificationChannels",
    "dockerRepository", "destination", "serviceAccount", "serviceAccountEmail", "serviceAccountId",
}  # fmt: skip
"""Inputs that are what Google answers, and therefore not known at the first preview."""


@pytest.mark.parametrize("stack", STACKS)
def test_a_first_preview_names_everything(graphs: Mapping[str, Graph], stack: str) -> None:
    """Without one answer of Google the same resources are shown, and only what Google makes up is not known yet."""
    graph = run_program(config_of(stack), stack, preview=True)
    assert graph.resources.keys() == graphs[stack].resources.keys()
    unknown = set()
    for urn, one in graph.resources.items():
        known = {path: value for path, value in leaves(graphs[stack].resources[urn].inputs) if path != "source"}
        for path, value in leaves(one.inputs):
            if isinstance(value, Unknown):
                unknown.add(re.split(r"[.\[]", path.removesuffix("[]"))[-1])
            elif path != "source" and "[]" not in path:
                assert known[path] == value, f"{urn} {path}"
    assert unknown <= LEARNED
    assert "topic" in unknown


def rewritten(one: Registered) -> Iterator[str]:
    """Name every input that Google would give back in another form than it was written, as a difference for ever."""
    for path, value in leaves(one.inputs):
        name = path.rpartition(".")[2].removesuffix("[]")
        if not isinstance(value, str):
            continue
        if re.fullmatch(r"[0-9.]+s", value) and not re.fullmatch(r"0s|[1-9][0-9]*s", value):
            yield f"{one.name}: {path} is no whole number of seconds: {value}"
        if name == "location" and one.typ.endswith(":Bucket") and value != value.upper():
            yield f"{one.name}: the place of a bucket is written {value.upper()}"
        if name == "member" and value.partition(":")[2] != value.partition(":")[2].lower():
            yield f"{one.name}: Google writes addresses small: {value}"
        if name == "availableCpu" and value != f"{float(value):g}":
            yield f"{one.name}: {path} is written {float(value):g}"
        if name == "projects[]" and not re.fullmatch(r"projects/[0-9]+", value):
            yield f"{one.name}: a budget names projects by their numbers"
    if one.typ.endswith("/function:Function"):
        given = one.inputs["serviceConfig"]["environmentVariables"]
        if "LOG_EXECUTION_ID" not in given:
            yield f"{one.name}: Google adds LOG_EXECUTION_ID"
        if empty := [variable for variable, value in given.items() if value == ""]:
            yield f"{one.name}: empty variables {empty}"


@pytest.mark.parametrize("stack", [*STACKS, "keys"])
def test_a_second_up_finds_no_difference(graphs: Mapping[str, Graph], stack: str) -> None:
    """No input is in a form that Google rewrites."""
    assert [fault for one in graphs[stack].custom for fault in rewritten(one)] == []


@pytest.mark.parametrize(
    ("typ", "path", "value"),
    [
        ("Subscription", ("retryPolicy", "minimumBackoff"), "1.0s"),
        ("Bucket", ("location",), "us-east4"),
        ("IAMMember", ("member",), "user:Owner@example.com"),
        ("Function", ("serviceConfig", "availableCpu"), "0.3330"),
        ("Function", ("serviceConfig", "environmentVariables"), {"THREADS": "1"}),
        ("Function", ("serviceConfig", "environmentVariables"), {"LOG_EXECUTION_ID": "false", "EMPTY": ""}),
    ],
)
def test_a_seeded_difference_is_found(graphs: Mapping[str, Graph], typ: str, path: tuple[str, ...], value: Any) -> None:
    """Each form that Google rewrites is named."""
    model = next(one for one in graphs["sandbox"].of(typ) if path[0] in one.inputs)
    inputs: Any = dict(model.inputs)
    place = inputs
    for name in path[:-1]:
        place[name] = dict(place[name])
        place = place[name]
    place[path[-1]] = value
    assert list(rewritten(replace(model, inputs=inputs)))


@pytest.mark.parametrize("stack", [*STACKS, "keys"])
def test_what_goes_with_another_thing_comes_after_it(graphs: Mapping[str, Graph], stack: str) -> None:
    """The engine knows, when it destroys a stack, the thing that takes others along."""
    graph = graphs[stack]
    going = [one for one in graph.custom if "deletedWith" in one.options]
    assert going
    assert all(one.options["deletedWith"] in graph.before(one) for one in going)
