"""What every component is given: the stack's choices, the topology, its grants, and what has to exist before."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pulumi

from infra.components import names
from infra.components.deployment import Deployment
from infra.components.matrix import Grant, Kind, Place, Who, matrix
from shared.stored import Domain, database
from shared.topology import Function, Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stack under construction; `after` are the resources that have to exist first."""

    deployment: Deployment
    topology: Topology
    after: tuple[pulumi.Resource, ...] = ()

    def following(self, *resources: pulumi.Resource) -> "Stage":
        """Give the stage at which these exist too; each of them came after all that the present one has."""
        return replace(self, after=resources or self.after)

    def child(
        self,
        parent: pulumi.Resource,
        *after: pulumi.Resource,
        kept: bool = False,
        stays: bool = False,
        goes_with: pulumi.Resource | None = None,
        unlike: str = "",
    ) -> pulumi.ResourceOptions:
        """Give the options of a component's child, which comes after all that the stage has and after those named.

        Those have to be of this stage or made at it: what was made at it came after all that the stage has, so it alone
        is named to the engine, which walks every path that there is between two resources.
        One that is `kept` is protected where the stack is; one that `stays` is let go of and not deleted, at Google,
        when the stack has no more use for it; one that goes with another thing needs no deletion of its own where that
        is deleted; an input that Google always answers `unlike` it was asked for is not compared.
        """
        protect = True if kept and self.deployment.protect else None
        made_here = [one for one in after if one not in self.after]
        return pulumi.ResourceOptions(
            parent=parent,
            depends_on=made_here or list(self.after),
            protect=protect,
            retain_on_delete=stays or None,
            deleted_with=goes_with,
            ignore_changes=[unlike] if unlike else None,
        )

    @property
    def databases(self) -> str:
        """How the ids of the databases begin."""
        return names.databases(self.deployment.generation)

    def database(self, domain: str) -> str:
        """Give the id of a domain's database."""
        return database(self.databases, Domain(domain))

    def address(self, function: Function) -> str:
        """Give the address of a function."""
        chosen = self.deployment
        return names.address(function.name, project_number=chosen.project_number, region=chosen.region)

    def grants(self, *places: Place) -> tuple[Grant, ...]:
        """Give the grants of the stack that are on such things."""
        chosen = self.deployment
        every = matrix(self.topology, has_owner=bool(chosen.owner), customer_keys=chosen.customer_keys)
        return tuple(one for one in every if one.place in places)

    def member(self, who: Who) -> str:
        """Write a holder the way that Google's policies do."""
        chosen = self.deployment
        match who.kind:
            case Kind.ANYBODY:
                return "allUsers"
            case Kind.AGENT:
                return f"serviceAccount:{names.agent_email(who.name, chosen.project_number)}"
            case Kind.FUNCTION:
                account = names.function_account(who.name)
            case Kind.PUSH:
                account = names.push_account(who.name)
            case _:
                account = who.name
        return f"serviceAccount:{names.email(account, chosen.project)}"

    def condition(self, grant: Grant) -> Mapping[str, str]:
        """Give the part of a grant that narrows it, nothing when it has none."""
        if not grant.condition:
            return {}
        chosen = self.deployment
        expression = grant.condition.format(
            project=chosen.project,
            project_number=chosen.project_number,
            region=chosen.region,
            database=self.database(grant.on) if grant.place is Place.DATABASE else "",
        )
        return {"title": grant.key[:100], "expression": expression}
