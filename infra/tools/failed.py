"""Deletes the functions of a stack that Google calls FAILED: `make cloud-clear-failed`.

Reads the stack's state, as `pulumi stack export` writes it, from standard input: only functions that stand there are
looked at. A function is FAILED when its first build was refused, so it never served; no `cloud-up` mends it. One that
works and whose next build fails goes on working and is not FAILED.
"""

import json
import sys
from collections.abc import Iterator

from infra.tools import gcloud, state
from infra.tools.state import State

FUNCTION = "gcp:cloudfunctionsv2/function:Function"


def owned(found: State) -> Iterator[tuple[str, str]]:
    """Give name and region of every function of the stack, also of those that were being made."""
    for one in (*state.of(found.known, FUNCTION), *state.of(found.making, FUNCTION)):
        yield str(one.inputs["name"]), str(one.inputs["location"])


def failed(found: State) -> list[tuple[str, str]]:
    """Ask Google which functions of the stack are FAILED; ends the process with code 1 when it does not say."""
    own = set(owned(found))
    words = ["functions", "list", "--v2", f"--project={found.project}", "--filter=state=FAILED", "--format=json"]
    if not own:
        return []
    said = gcloud.ask(*words, f"--regions={','.join(sorted({region for _, region in own}))}")
    if said.returncode:
        sys.exit("Google's list of functions could not be read, and nothing was deleted.")
    listed = [one["name"].split("/") for one in json.loads(said.stdout or "[]") if one.get("state") == "FAILED"]
    return sorted({(parts[-1], parts[3]) for parts in listed} & own)


def main() -> int:
    """Show and delete what failed; 0 when none is left."""
    found = state.from_standard_input()
    gone = failed(found)
    if not gone:
        sys.stdout.write("No function of the stack is FAILED: nothing was deleted.\n")
        return 0
    sys.stdout.write("".join(f"{name} in {region} is FAILED, serves nobody, and is deleted\n" for name, region in gone))
    sys.stdout.flush()
    left = []
    for name, region in gone:
        words = ("functions", "delete", name, f"--region={region}", f"--project={found.project}", "--quiet")
        if gcloud.ask(*words).returncode:
            left.append(name)
    sys.stdout.write("Now: make cloud-up, which creates again what was deleted.\n" if not left else "")
    sys.stderr.write("".join(f"{name} could not be deleted: repeat make cloud-clear-failed\n" for name in left))
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
