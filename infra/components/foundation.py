"""What has to be there before anything else: Google's services, its agents, our accounts, a key when one is wanted."""

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from infra.components import names
from infra.components.grants import grant, on_project
from infra.components.matrix import KEY, Kind, Place
from infra.components.stage import Stage
from shared.topology import Topology

SERVICES = (
    "artifactregistry", "billingbudgets", "cloudbuild", "cloudfunctions", "cloudresourcemanager", "cloudscheduler",
    "firestore", "iam", "logging", "monitoring", "pubsub", "run", "secretmanager", "serviceusage", "storage",
)  # fmt: skip
QUARTER = "7776000s"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundationArgs:
    """What the foundation is built from."""

    stage: Stage


class Foundation(pulumi.ComponentResource):
    """Services, agents, accounts and their grants on the project; `ready` is what everything else comes after.

    Services stay enabled when a stack is destroyed: disabling one deletes what other things in the project have in it.
    An agent is made before it is granted anything, for a grant to one that does not exist yet is refused.
    """

    def __init__(self, name: str, args: FoundationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("strategy:index:Foundation", name, {}, opts)
        stage = args.stage
        services = [self._service(stage, one) for one in _services(stage)]
        stage = stage.following(*services)
        agents = [self._agent(stage, one) for one in _agents(stage)]
        self.accounts = {one: self._account(stage, one, told) for one, told in _accounts(stage.topology).items()}
        stage = stage.following(*agents, *self.accounts.values())
        granted = on_project(stage, self)
        pushing = {
            one.name: self.accounts[names.push_account(one.name)]
            for one in stage.topology.functions
            if one.subscriptions
        }
        granted += grant(stage, self, Place.ACCOUNT, pushing)
        self.key = self._key(stage) if stage.deployment.customer_keys else None
        if self.key is not None:
            granted += grant(stage, self, Place.KEY, {KEY: self.key})
        self.ready = stage.following(*granted)
        self.register_outputs({"accounts": {one: account.email for one, account in self.accounts.items()}})

    def _service(self, stage: Stage, service: str) -> gcp.projects.Service:
        return gcp.projects.Service(
            service, service=f"{service}.googleapis.com", disable_on_destroy=False, opts=stage.child(self)
        )

    def _agent(self, stage: Stage, agent: str) -> gcp.projects.ServiceIdentity:
        return gcp.projects.ServiceIdentity(
            f"agent-{agent}", service=f"{agent}.googleapis.com", project=stage.deployment.project,
            opts=stage.child(self),
        )  # fmt: skip

    def _account(self, stage: Stage, account: str, told: str) -> gcp.serviceaccount.Account:
        return gcp.serviceaccount.Account(account, account_id=account, display_name=told, opts=stage.child(self))

    def _key(self, stage: Stage) -> gcp.kms.CryptoKey:
        """Make the key that the stack's data is kept with; Google never forgets a ring, so its name has a number."""
        ring = gcp.kms.KeyRing(
            "keys",
            name=f"desk-{stage.deployment.generation}",
            location=stage.deployment.region,
            opts=stage.child(self),
        )
        return gcp.kms.CryptoKey(
            "key", name=KEY, key_ring=ring.id, rotation_period=QUARTER, opts=stage.child(self, kept=True)
        )


def _services(stage: Stage) -> tuple[str, ...]:
    extra = ["cloudkms"] if stage.deployment.customer_keys else []
    return (*SERVICES, *extra)


def _agents(stage: Stage) -> tuple[str, ...]:
    """Name the agents that the stack grants something to, each by its service."""
    granted = {one.who.name for one in stage.grants(*Place) if one.who.kind is Kind.AGENT}
    return tuple(sorted(granted))


def _accounts(topology: Topology) -> dict[str, str]:
    """Give every account with the sentence that the console shows beside it."""
    accounts = {names.BUILD_ACCOUNT: "builds the functions' images"}
    for function in topology.functions:
        accounts[names.function_account(function.name)] = f"runs {function.name}"
        if function.subscriptions:
            accounts[names.push_account(function.name)] = f"pushes messages to {function.name}"
    return accounts
