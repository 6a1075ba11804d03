"""Asks a deployed stack from outside whether it answers where it must and is closed where it must: `make smoke`.

Reads the stack's outputs as JSON from standard input. The sign-in answers its health question; everything else
refuses a stranger, which is what an open door would not do.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence

TRIES, PAUSE_S, PATIENCE_S = 3, 5.0, 30.0
REFUSALS = frozenset({401, 403, 404})


def faults(addresses: Mapping[str, str], is_open: Sequence[str], *, pause_s: float = PAUSE_S) -> Iterator[str]:
    """Name every function that does not answer as it must."""
    for function, address in sorted(addresses.items()):
        wanted = frozenset({200}) if function in is_open else REFUSALS
        status = _asked(f"{address}/health", wanted, pause_s)
        if status not in wanted:
            yield f"{function}: answers {status}, not {' or '.join(map(str, sorted(wanted)))}"


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


def main(arguments: Sequence[str]) -> int:
    """Judge the stack whose outputs are on standard input; 0 when all is well, 1 with a line for each fault.

    The one argument that there may be is the pause between two tries, in seconds.
    """
    outputs = json.loads(sys.stdin.read())
    pause_s = float(arguments[0]) if arguments else PAUSE_S
    found = list(faults(outputs["addresses"], outputs["open"], pause_s=pause_s))
    for one in found:
        sys.stderr.write(f"{one}\n")
    if not found:
        sys.stdout.write(f"{len(outputs['addresses'])} functions: open and closed as they must be.\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
