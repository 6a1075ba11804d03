"""The Pulumi program: reads the stack's configuration, builds the archives, provisions what the topology names.

    pulumi install && pulumi preview --stack sandbox --refresh=false      in this folder

The program looks nothing up in the live cloud; without `--refresh=false` the engine does. Every problem of the
configuration is reported at once, before any resource.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # Pulumi starts the program in this folder

import pulumi  # noqa: E402 - after the path

if sys.version_info < (3, 11):  # noqa: UP036 - Pulumi takes the first python3 that it finds, and our own imports need more
    raise pulumi.RunError(
        f"the program needs Python 3.11 or newer and was started with {sys.version.split()[0]}; nothing was changed. "
        "Delete infra/venv, and name a newer one: PULUMI_PYTHON_CMD=/path/to/python3.13 pulumi install"
    )

from pulumi.runtime import get_config_env  # noqa: E402 - the same

from infra.archives import ArchiveError, build_all, save  # noqa: E402 - the same
from infra.components import deployment  # noqa: E402 - the same
from infra.components.deployment import Deployment  # noqa: E402 - the same
from infra.components.system import System, SystemArgs  # noqa: E402 - the same
from shared.errors import ConfigError  # noqa: E402 - the same
from shared.settings import OWN_STRATEGIES  # noqa: E402 - the same
from shared.topology import TOPOLOGY  # noqa: E402 - the same


def main() -> None:
    """Provision the stack that Pulumi was started for."""
    try:
        chosen = deployment.read(get_config_env(), stack=pulumi.get_stack(), topology=TOPOLOGY)
        for warning in deployment.left_over(chosen):
            pulumi.log.warn(warning)
        system = System("desk", SystemArgs(deployment=chosen, topology=TOPOLOGY, archives=archives(chosen)))
    except ConfigError as wrong:
        raise pulumi.RunError("\n".join(("the stack cannot be built:", *wrong.problems))) from None
    except (ArchiveError, OSError) as wrong:
        raise pulumi.RunError(f"the archives cannot be built, and nothing was changed: {wrong}") from None
    for name, value in system.outputs.items():
        pulumi.export(name, value)


def archives(chosen: Deployment) -> Mapping[str, Path]:
    """Build the archive of every function, from the checkout that the stack names or from this one; raises OSError."""
    folder = ROOT / "build" / "archives"
    folder.mkdir(parents=True, exist_ok=True)
    source = (ROOT / chosen.source) if chosen.source else ROOT
    own = os.environ.get(OWN_STRATEGIES, "").strip()
    return {one.function: save(one, folder) for one in build_all(source, Path(own) if own else None)}


main()
