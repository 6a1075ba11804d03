"""Reads what `pulumi stack export` says of a stack: what the engine knows, and what it was making when it was killed.

It needs nothing but Python, as everything does that has to work when a deployment did not.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PROVIDER = "pulumi:providers:gcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One resource of a stack; `outputs` are what Google answered, and the inputs where it has not answered yet."""

    urn: str
    typ: str
    ident: str
    parent: str
    custom: bool
    protect: bool
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name that the program gave it."""
        return self.urn.rpartition("::")[2]

    @property
    def stack(self) -> str:
        """The name of its stack, which is the third part of a URN."""
        return self.urn.split(":")[2]

    def __str__(self) -> str:
        return f"{self.typ.rpartition(':')[2]} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A stack: by URN what the engine has, and what stands there as being made.

    `known` is what it has. Of what was `begun`, the part in `making` may be at Google or not, the rest is known by now.
    """

    known: Mapping[str, Made]
    begun: tuple[Made, ...]

    @property
    def making(self) -> Mapping[str, Made]:
        """What was being made at Google and is not known; a group of resources is nowhere but in the state."""
        return {one.urn: one for one in self.begun if one.custom and one.urn not in self.known}

    @property
    def project(self) -> str:
        """Google's project that the stack is in; empty where it has nothing yet."""
        found = [one.inputs.get("project", "") for one in self.known.values() if one.typ == PROVIDER]
        return str(found[0]) if found else ""


def read(text: str) -> State:
    """Read the export of a stack; raises ValueError when it is none."""
    said = json.loads(text)
    deployment = said.get("deployment") if isinstance(said, dict) else None
    if not isinstance(deployment, dict):
        raise ValueError(text[:40])
    known = {one.urn: one for one in map(_made, deployment.get("resources") or ())}
    begun = [one["resource"] for one in deployment.get("pending_operations") or () if one["type"] == "creating"]
    begun_once = {one.urn: one for one in map(_made, begun)}
    return State(known=known, begun=tuple(begun_once.values()))


def from_standard_input() -> State:
    """Read the export that is piped in; without one it says so and ends the process with code 1."""
    try:
        return read(sys.stdin.read())
    except ValueError:
        sys.exit("The stack's state could not be read, and nothing was changed: does the stack exist?")


def of(resources: Mapping[str, Made], typ: str) -> Iterator[Made]:
    """Give the resources of a type."""
    return (one for one in resources.values() if one.typ == typ)


def _made(said: Mapping[str, Any]) -> Made:
    inputs = said.get("inputs") or {}
    return Made(
        urn=said["urn"],
        typ=said["type"],
        ident=said.get("id") or "",
        parent=said.get("parent") or "",
        custom=bool(said.get("custom")),
        protect=bool(said.get("protect")),
        inputs=inputs,
        outputs=said.get("outputs") or inputs,
    )
