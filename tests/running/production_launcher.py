"""Starts one function as `infra.one_machine.launcher` does, before the stand-ins of the sources of history."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from infra.one_machine.launcher import main

WAYS = "ways.json"
"""A file beside the system's folder: of each source, where something stands for it."""


def _outside(platform: Any) -> Any:
    """Lead a function to the stand-ins."""
    from shared.wiring import Way  # late: `shared` has to come from the archive

    world = Path(sys.argv[sys.argv.index("--world") + 1])
    ways = json.loads((world.parents[2] / WAYS).read_bytes())
    return replace(platform, ways={name: Way(**way) for name, way in ways.items()})


if __name__ == "__main__":
    main(_outside)
