"""Counts the resources of each committed stack by kind, without the cloud: `make cloud-resources`."""

import sys
import tempfile
import time
from pathlib import Path

from tests.infra.cloud.capture import STACKS, as_given, capture, committed


def main() -> None:
    """Print a table: kinds, and how many of each every stack has."""
    with tempfile.TemporaryDirectory() as folder:
        counted, took = {}, {}
        for stack in STACKS:
            began = time.perf_counter()
            config = as_given(committed(stack)["config"])
            counted[stack] = capture(config, stack, Path(folder)).census()
            took[stack] = time.perf_counter() - began
    write = sys.stdout.write
    write(f"{'':60}{''.join(f'{stack:>12}' for stack in STACKS)}\n")
    for kind in sorted(set().union(*counted.values())):
        write(f"{kind:60}{''.join(f'{counted[stack][kind]:>12}' for stack in STACKS)}\n")
    write(f"{'all':60}{''.join(f'{counted[stack].total():>12}' for stack in STACKS)}\n")
    write(f"{'seconds to capture':60}{''.join(f'{took[stack]:>12.1f}' for stack in STACKS)}\n")


if __name__ == "__main__":
    main()
