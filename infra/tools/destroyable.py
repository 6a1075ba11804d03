"""Refuses a destruction that would stop half-way: `make cloud-destroy` asks it before the engine deletes anything.

Reads the stack's state, as `pulumi stack export` writes it after a refresh, from standard input. Two things stop a
destruction, and the engine's preview sees the first one only: what the engine protects, and a database that Google
protects, which is reached when the functions and most else are gone already. What a killed `cloud-up` made the engine
does not know, so it would not delete it.
"""

import sys
from collections.abc import Iterator

from infra.tools import adoption, state
from infra.tools.state import State

DATABASE = "gcp:firestore/database:Database"


def in_the_way(found: State) -> Iterator[str]:
    """Name everything that would stop a destruction, or be left behind by it."""
    for one in found.known.values():
        if one.protect:
            yield f"{one} is protected in the stack: pulumi --cwd infra state unprotect --all --stack {one.stack}"
    for one in state.of(found.known, DATABASE):
        name = one.outputs["name"]
        if one.outputs.get("deleteProtectionState") != "DELETE_PROTECTION_DISABLED":
            free = f"gcloud firestore databases update --database={name} --no-delete-protection"
            yield f"{one} is protected at Google: {free}"
        if one.outputs.get("deletionPolicy") != "DELETE":
            yield f"{one} would be left behind at Google, where the next stack would meet it: make cloud-up"
    for one in found.making.values():
        if one.typ not in adoption.REPEATED:
            yield f"{one}, of a `cloud-up` that was killed, would be left behind at Google: make cloud-mend"


def main() -> int:
    """Judge the state on standard input; 0 when a destruction would go through, 1 with a line for each hindrance."""
    found = list(in_the_way(state.from_standard_input()))
    if found:
        sys.stderr.write("Nothing was destroyed. In the way is:\n" + "".join(f"  {one}\n" for one in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
