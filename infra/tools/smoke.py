"""Asks a deployed stack from outside whether it answers where it must and is closed where it must: `make cloud-smoke`.

Reads the stack's outputs as JSON from standard input. An open sign-in answers its health question; a closed one is
refused by name; every other function refuses a stranger, who cannot tell a closed door from no door: Google answers
404 for both. That those are there is Google's word alone, the state of each function when Pulumi last changed or
refreshed it.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

TRIES, PAUSE_S, PATIENCE_S = 3, 5.0, 30.0
ACTIVE = "ACTIVE"
ANSWERS = frozenset({200})
REFUSED_BY_NAME = frozenset({401, 403})
REFUSED = REFUSED_BY_NAME | {404}


def faults(outputs: Mapping[str, Any], *, pause_s: float = PAUSE_S) -> Iterator[str]:
    """Name every function that is not there or does not answer as it must; `outputs` are the stack's."""
    addresses, public, states = (outputs.get(name, {}) for name in ("addresses", "public", "states"))
    if not addresses or not public:
        yield "the stack names no function that could be asked: is it deployed?"
    for function, address in sorted(addresses.items()):
        if (state := states.get(function)) != ACTIVE:
            yield f"{function}: Google calls it {state}, not {ACTIVE}"
        wanted = _wanted(public.get(function))
        status = _asked(f"{address}/health", wanted, pause_s)
        if status not in wanted:
            yield f"{function}: answers {status}, not {' or '.join(map(str, sorted(wanted)))}"


def _wanted(is_open: bool | None) -> frozenset[int]:
    """Give what a stranger may be told: by an open page, by a closed one, and by what has no door outside."""
    if is_open is None:
        return REFUSED
    return ANSWERS if is_open else REFUSED_BY_NAME


def _asked(url: str, wanted: frozenset[int], pause_s: float) -> int | str:
    """Ask until the answer is one that is wanted, a few times: a first request may meet a start."""
    status: int | str = "nothing"
    for attempt in range(TRIES):
        if attempt:
            time.sleep(pause_s)
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:  # noqa: S310 - the stack's own addresses
                status = int(answer.status)
        except urllib.error.HTTPError as refused:
            status = refused.code
            refused.close()
        except OSError as problem:
            status = type(problem).__name__
        if status in wanted:
            break
    return status


def _seen(outputs: Mapping[str, Any]) -> Iterator[str]:
    """Say what a stack without faults has shown, and what it has not."""
    public = outputs["public"]
    for function, is_open in public.items():
        yield f"{function}: {'answers' if is_open else 'is there and closed, for the stack has no owner'}"
    rest = len(outputs["addresses"]) - len(public)
    yield f"{rest} others: {ACTIVE} by Google's word, and closed; whether they work is what the dashboard shows"


def main(arguments: Sequence[str]) -> int:
    """Judge the stack whose outputs are on standard input; 0 when all is well, 1 with a line for each fault.

    The one argument that there may be is the pause between two tries, in seconds.
    """
    try:
        outputs = json.loads(sys.stdin.read())
    except ValueError:
        sys.stderr.write("The stack has no outputs: does it exist, and was it ever brought up?\n")
        return 1
    pause_s = float(arguments[0]) if arguments else PAUSE_S
    found = list(faults(outputs, pause_s=pause_s))
    for one in found:
        sys.stderr.write(f"{one}\n")
    for one in _seen(outputs) if not found else ():
        sys.stdout.write(f"{one}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
