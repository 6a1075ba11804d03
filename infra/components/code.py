"""Where code lies: the archives, named by their content, and the images that Google builds from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_gcp as gcp

from infra.components.grants import grant
from infra.components.matrix import IMAGES, SOURCE, Place
from infra.components.stage import Stage

KEPT_VERSIONS = 3
A_DAY = "86400s"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeArgs:
    """What the code is deployed from: the archive of each function as a file named by its content."""

    stage: Stage
    archives: Mapping[str, Path]


class Code(pulumi.ComponentResource):
    """One private bucket for the archives, one repository for the images, and the build account's rights on both.

    Every deployment leaves an image: all but the last few of each function are deleted. It leaves archives, too, which
    stay as long as the bucket. For what a broken-off deployment has replaced the engine deletes, by name, at the end of
    the next one; where that one has gone back to it, this would be the archive that it has just made anew.
    """

    def __init__(self, name: str, args: CodeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("strategy:index:Code", name, {}, opts)
        stage = args.stage
        self.bucket = gcp.storage.Bucket(
            SOURCE,
            name=f"{stage.deployment.project}-{SOURCE}",
            location=stage.deployment.region.upper(),  # as Google writes a bucket's place
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            force_destroy=True,  # nothing that lies in it cannot be built again
            opts=stage.child(self),
        )
        self.images = self._images(stage)
        granted = grant(stage, self, Place.BUCKET, {SOURCE: self.bucket})
        granted += grant(stage, self, Place.REPOSITORY, {IMAGES: self.images})
        self.granted = granted
        self.archives = {
            function: gcp.storage.BucketObject(
                f"archive-{function}",
                name=f"functions/{file.name}",
                bucket=self.bucket.name,
                source=pulumi.FileAsset(str(file)),
                content_type="application/zip",
                opts=stage.child(self, stays=True),
            )
            for function, file in sorted(args.archives.items())
        }
        self.register_outputs({"archives": {one: archive.name for one, archive in self.archives.items()}})

    def _images(self, stage: Stage) -> gcp.artifactregistry.Repository:
        return gcp.artifactregistry.Repository(
            IMAGES,
            repository_id=IMAGES,
            location=stage.deployment.region,
            format="DOCKER",
            description="the functions' images",
            cleanup_policies=[
                gcp.artifactregistry.RepositoryCleanupPolicyArgs(
                    id="keep-the-last",
                    action="KEEP",
                    most_recent_versions=gcp.artifactregistry.RepositoryCleanupPolicyMostRecentVersionsArgs(
                        keep_count=KEPT_VERSIONS
                    ),
                ),
                gcp.artifactregistry.RepositoryCleanupPolicyArgs(
                    id="delete-others",
                    action="DELETE",
                    condition=gcp.artifactregistry.RepositoryCleanupPolicyConditionArgs(
                        tag_state="ANY", older_than=A_DAY
                    ),
                ),
            ],
            opts=stage.child(self),
        )
