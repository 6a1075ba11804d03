"""What the rows of the table of the cloud are, and the facts that they are derived from."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from shared.topology import Function, Topology
from tests.infra.cloud.capture import PULUMI_PROJECT


@dataclass(frozen=True, slots=True, kw_only=True)
class Must:
    """A value that is judged instead of compared."""

    be: str
    holds: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Json:
    """A text that holds this as JSON."""

    wanted: Any


@dataclass(frozen=True, slots=True)
class Thing:
    """One row: a resource with its inputs, in which None stands for what is not there.

    One that is `kept` is protected against deletion; one that `stays` is not deleted with its row; one that `goes_with`
    a thing, by type and name, is deleted with it; the input that Google answers `unlike` it was asked for is not
    compared by the engine.
    """

    typ: str
    name: str
    inputs: Mapping[str, Any]
    kept: bool = field(default=False, kw_only=True)
    stays: bool = field(default=False, kw_only=True)
    goes_with: str = field(default="", kw_only=True)
    unlike: str = field(default="", kw_only=True)


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """What the rows are derived from: a stack's configuration as the engine hands it over, topology and archives."""

    config: Mapping[str, str]
    topology: Topology
    archives: Mapping[str, str]

    def given(self, name: str, default: str = "") -> str:
        """Give a value of the stack's own."""
        return self.config.get(f"{PULUMI_PROJECT}:{name}", default)

    @cached_property
    def project(self) -> str:
        """The project's id."""
        return self.config["gcp:project"]

    @cached_property
    def region(self) -> str:
        """Where everything is."""
        return self.config["gcp:region"]

    @cached_property
    def number(self) -> str:
        """The project's number."""
        return self.given("projectNumber")

    @cached_property
    def generation(self) -> str:
        """What ends the names that Google keeps for a while."""
        return self.given("generation", "1")

    @cached_property
    def protected(self) -> bool:
        """Whether what lasts cannot be deleted by mistake."""
        return self.given("protect") == "true"

    @cached_property
    def key(self) -> str | None:
        """The id of the owner's own key, when there is one."""
        return self.id_of("key") if self.given("customerKeys") == "true" else None

    @cached_property
    def owner(self) -> str:
        """Whose sign-in page it is; empty keeps it closed."""
        return self.given("owner")

    @cached_property
    def mails(self) -> list[str]:
        """Who is told."""
        return list(json.loads(self.given("alertEmails", "[]")))

    @cached_property
    def page(self) -> Function:
        """The one function that any browser may ask."""
        (page,) = [one for one in self.topology.functions if one.public]
        return page

    def id_of(self, name: str) -> str:
        """Give the id that Google answers for a resource, as the capture makes it up."""
        return f"projects/{self.project}/{name}"

    def topic(self, name: str) -> str:
        """Give the id of a topic."""
        return self.id_of(f"topics/{name}")

    def email(self, account: str) -> str:
        """Give the address of an account of ours."""
        return f"{account}@{self.project}.iam.gserviceaccount.com"

    def account(self, account: str) -> str:
        """Give the id of an account of ours."""
        return self.id_of(f"serviceAccounts/{self.email(account)}")

    def host(self, function: Function) -> str:
        """Give the host at which a function answers."""
        return f"{dashed(function)}-{self.number}.{self.region}.run.app"


def dashed(function: Function) -> str:
    """Give a function's name as Google wants names."""
    return function.name.replace("_", "-")
