"""The functions themselves: deployed from their archives, under accounts of their own, closed except where said."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from infra.components import names
from infra.components.code import Code
from infra.components.deployment import CALLBACK, SIGN_IN
from infra.components.grants import grant
from infra.components.matrix import Place
from infra.components.stage import Stage
from shared.topology import Function

RUNTIME, ENTRY_POINT = "python313", "main"
BUILT_FROM = "SOURCE_ARCHIVE"
CALLBACK_PATH = "/callback"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionsArgs:
    """What the functions are built from; `accounts` are those of the build and of every function."""

    stage: Stage
    code: Code
    accounts: Mapping[str, gcp.serviceaccount.Account]


class Functions(pulumi.ComponentResource):
    """Every function of the topology, and who may call each."""

    def __init__(self, name: str, args: FunctionsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("strategy:index:Functions", name, {}, opts)
        stage = args.stage
        functions = {one.name: self._function(args, one) for one in stage.topology.functions}
        self.granted = grant(stage, self, Place.SERVICE, functions)
        self.states = {name: one.state for name, one in functions.items()}
        self.register_outputs({"addresses": {one.name: stage.address(one) for one in stage.topology.functions}})

    def _function(self, args: FunctionsArgs, one: Function) -> gcp.cloudfunctionsv2.Function:
        stage, code = args.stage, args.code
        archive = gcp.cloudfunctionsv2.FunctionBuildConfigSourceStorageSourceArgs(
            bucket=code.bucket.name, object=code.archives[one.name].name
        )
        return gcp.cloudfunctionsv2.Function(
            one.name,
            name=names.dashed(one.name),
            location=stage.deployment.region,
            description=one.purpose,
            build_config=gcp.cloudfunctionsv2.FunctionBuildConfigArgs(
                runtime=RUNTIME,
                entry_point=ENTRY_POINT,
                docker_repository=code.images.id,
                service_account=args.accounts[names.BUILD_ACCOUNT].name,
                source=gcp.cloudfunctionsv2.FunctionBuildConfigSourceArgs(storage_source=archive),
                # The provider reads back its own words as the source, Google's here: an update that failed is seen.
                environment_variables={BUILT_FROM: archive.object},
            ),
            service_config=gcp.cloudfunctionsv2.FunctionServiceConfigArgs(
                service_account_email=args.accounts[names.function_account(one.name)].email,
                available_memory=f"{one.memory_mib}Mi",
                available_cpu=f"{one.cpu:g}",
                max_instance_request_concurrency=one.concurrency,
                max_instance_count=one.max_instances,
                timeout_seconds=one.timeout_s,
                ingress_settings="ALLOW_ALL" if one.public else "ALLOW_INTERNAL_ONLY",
                environment_variables=environment(stage, one),
            ),
            opts=stage.child(self),
        )


def environment(stage: Stage, one: Function) -> dict[str, str]:
    """Give a function's environment: the cloud's own values, the settings, the sign-in's addresses, its threads."""
    return {
        "GOOGLE_CLOUD_PROJECT": stage.deployment.project,
        "FIRESTORE_DATABASES": stage.databases,
        **stage.deployment.settings,
        **_sign_in(stage),
        **one.environ,
        # Google adds it where it is missing, which every `cloud-up` would see, and then rewrites the journal's lines.
        "LOG_EXECUTION_ID": "false",
    }


def _sign_in(stage: Stage) -> dict[str, str]:
    """Give where links lead to, and where E*TRADE sends the owner back to, as soon as it knows that address."""
    (page,) = [one for one in stage.topology.functions if one.public]
    start, callback = f"{stage.address(page)}/start", f"{stage.address(page)}{CALLBACK_PATH}"
    return {SIGN_IN: start, **({CALLBACK: callback} if stage.deployment.callback_registered else {})}
