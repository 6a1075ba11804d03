"""Mends a stack whose `cloud-up` was killed: takes in what is at Google and not in the state: `make cloud-mend`.

    python -m infra.tools.mend adopt|settle STACK COMMAND...      COMMAND being Pulumi's, as the Makefile calls it

`adopt` comes before the `cloud-up`: it reads what the engine was making, prints what becomes of each, and imports, one
by one, what a second `cloud-up` would be refused. One that is not at Google fails to be imported, which is no fault:
`cloud-up` makes it. `settle` comes after a `cloud-up` that went through: it names what may be there twice, and lets the
engine forget what it was making. Neither changes anything at Google, and where nothing is left to mend neither does
anything. Which kind is which stands in infra/tools/adoption.py.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from infra.tools import adoption, gcloud, state
from infra.tools.state import Made, State

BY_HAND = "is not of a kind that is known here: where `cloud-up` says that it already exists, import it by hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One stack, and the command line by which Pulumi is told about it."""

    name: str
    command: tuple[str, ...]

    def state(self) -> State:
        """Read the stack's state; ends the process with code 1 where there is none."""
        said = subprocess.run(
            [*self.command, "stack", "export", "--stack", self.name], capture_output=True, text=True, check=False
        )
        try:
            return state.read(said.stdout)
        except ValueError:
            sys.exit(
                f"The stack's state could not be read, and nothing was imported. Pulumi says: {said.stderr.strip()}"
            )

    def tell(self, *words: str) -> bool:
        """Tell Pulumi something, after showing it; false when it refused."""
        _say("$ pulumi " + " ".join(words))
        return subprocess.run([*self.command, *words], check=False).returncode == 0

    def adopt(self, one: Made, ident: str) -> bool:
        """Import one resource as the program registers it: under its group, protected where it will be."""
        words = ["import", one.typ, one.name, ident, "--stack", self.name, "--yes", "--generate-code=false"]
        words.append(f"--protect={str(one.protect).lower()}")
        return self.tell(*words, *(["--parent", f"parent={one.parent}"] if one.parent else []))


def adopt(stack: Stack) -> None:
    """Import what was being made and is there."""
    found = stack.state()
    _say(*plan(found))
    missing = []
    for one in found.making.values():
        ident = _ident(one, found.project)
        if ident and not stack.adopt(one, ident):
            missing.append(one)
    for one in missing:
        _say(f"{one}: not imported; where it is not at Google, `cloud-up` makes it now")


def plan(found: State) -> Iterator[str]:
    """Say of everything that was being made what will be done about it."""
    if not found.making:
        yield "The engine was making nothing that it does not know by now: nothing to import."
    for one in found.making.values():
        if one.typ in adoption.ADOPTED:
            yield f"{one}: to be imported if it is at Google"
        elif one.typ in adoption.FOUND:
            yield f"{one}: to be looked for in Google's list, and imported if it is there"
        elif one.typ in adoption.REPEATED:
            yield f"{one}: made again by `cloud-up`, which changes nothing where it is there"
        elif one.typ in adoption.DRAWN:
            yield f"{one}: made again by `cloud-up`, and perhaps there twice; named again at the end"
        else:
            yield f"{one}: {BY_HAND}"


def settle(stack: Stack) -> int:
    """Name what may be there twice, and let the engine forget what it was making; 0 unless it refused to."""
    found = stack.state()
    if not found.begun:
        _say("Nothing is left to mend.")
        return 0
    _say(*unclear(found))
    return 0 if stack.tell("refresh", "--stack", stack.name, "--yes", "--clear-pending-creates") else 1


def unclear(found: State) -> Iterator[str]:
    """Name what may be at Google twice, with the page that lists it, and what the program does not make any more."""
    for one in found.begun:
        if one.urn in found.making:
            yield f"{one}: this checkout does not make it; where it is at Google, it is yours to delete"
        elif one.typ in adoption.DRAWN:
            yield (
                f"{one}: look whether it is there twice, at {adoption.DRAWN[one.typ]} in Google's console."
                f" The stack's is {found.known[one.urn].ident}; delete the other there."
            )


def _ident(one: Made, project: str) -> str:
    """Give the id by which a resource is imported; empty where it is not, or where Google's list has none like it."""
    try:
        if one.typ in adoption.ADOPTED:
            return adoption.import_id(one.typ, one.inputs, project)
        if one.typ in adoption.FOUND:
            return _found(one, adoption.listing(one.typ, one.inputs, project))
    except KeyError as missing:
        _say(f"{one}: {missing.args[0]} is not written down, so it {BY_HAND.partition(': ')[2]}")
    return ""


def _found(one: Made, wanted: adoption.Listing) -> str:
    """Look for a resource in Google's list; where there is more than one like it, none is taken."""
    _say("$ gcloud " + " ".join(wanted.words))
    listed = gcloud.ask(*wanted.words)
    ids = wanted.ids(json.loads(listed.stdout or "[]")) if listed.returncode == 0 else []
    if len(ids) != 1:
        _say(f"{one}: Google's list has {len(ids)} like it, so none is imported")
        return ""
    return ids[0]


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    """Do one of the two halves for a stack; 0 when it is done."""
    half, name, *command = arguments
    stack = Stack(name=name, command=tuple(command))
    if half == "settle":
        return settle(stack)
    adopt(stack)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
