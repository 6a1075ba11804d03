"""What is remembered for the record, for how long, and what must never be written down.

The chained audit events are documents of the database. Beside them the functions' own lines and Google's audit log
are kept in a log bucket of their own; in the unprotected stacks they stay in the project's default bucket.
"""

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from infra.components import names
from infra.components.functions import CALLBACK_PATH
from infra.components.stage import Stage

AUDITED = "secretmanager.googleapis.com"
KINDS = ("ADMIN_READ", "DATA_READ", "DATA_WRITE")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailArgs:
    """What the trail is built from."""

    stage: Stage


class Trail(pulumi.ComponentResource):
    """Every use of a secret is logged by Google, and no address to which E*TRADE sent the owner back is.

    `ready` is what has to be there before anybody can use a secret or be sent back.

    Such an address holds the verifier of a sign-in; a signed link stands behind its page's `#` and reaches no server.
    The trail's sink leaves those lines out too, and every other request to the page is logged.
    """

    def __init__(self, name: str, args: TrailArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("strategy:index:Trail", name, {}, opts)
        stage = args.stage
        watched = gcp.projects.IAMAuditConfig(
            "secrets-are-watched",
            project=stage.deployment.project,
            service=AUDITED,
            audit_log_configs=[gcp.projects.IAMAuditConfigAuditLogConfigArgs(log_type=kind) for kind in KINDS],
            opts=stage.child(self),
        )
        left_out = gcp.logging.ProjectExclusion(
            "verifiers-are-not-kept",
            name="verifiers-of-the-sign-in",
            description="The address to which E*TRADE sends the owner back holds a verifier.",
            filter=sent_back(stage),
            opts=stage.child(self),
        )
        kept = self._keep(stage) if stage.deployment.protect else ()
        self.ready = (watched, left_out, *kept)
        self.register_outputs({})

    def _keep(self, stage: Stage) -> tuple[pulumi.Resource, ...]:
        """Keep the lines for long, in a bucket whose name Google keeps for a week after it was deleted."""
        chosen = stage.deployment
        bucket = gcp.logging.ProjectBucketConfig(
            "trail",
            project=chosen.project,
            location=chosen.region,
            bucket_id=f"trail-{chosen.generation}",
            retention_days=chosen.trail_days,
            description="what the system did",
            opts=stage.child(self, kept=True),
        )
        services = " OR ".join(f'"{names.dashed(one.name)}"' for one in stage.topology.functions)
        sink = gcp.logging.ProjectSink(
            "to-the-trail",
            name="trail",
            destination=pulumi.Output.concat("logging.googleapis.com/", bucket.id),
            filter=(
                f'(resource.type="cloud_run_revision" AND resource.labels.service_name=({services}))'
                f' OR logName:"cloudaudit.googleapis.com"'
            ),
            exclusions=[gcp.logging.ProjectSinkExclusionArgs(name="verifiers-of-the-sign-in", filter=sent_back(stage))],
            unique_writer_identity=True,
            opts=stage.child(self),
        )
        return bucket, sink


def sent_back(stage: Stage) -> str:
    """Write the filter that finds Google's own lines about requests to the callback address, and no others.

    A request to another path that merely holds the same word stays in the log.
    """
    services = " OR ".join(f'"{names.dashed(one.name)}"' for one in stage.topology.functions if one.public)
    return (
        f'resource.type="cloud_run_revision" AND resource.labels.service_name=({services})'
        f' AND logName:"run.googleapis.com%2Frequests" AND httpRequest.requestUrl=~"^https://[^/?#]+{CALLBACK_PATH}/?([?#]|$)"'
    )
