"""Starts one function's archive as the cloud does, in front of another world: `python -m infra.one_machine.launcher`.

It runs inside the unpacked archive, whose `shared` it takes, and does only this: install the world that `--world`
describes, make the function's app with functions-framework, serve it with the framework's own server. The archive
knows nothing of it. What can go wrong: the process that started it is killed, and this one would trade on without a
bus. So it holds the reading end of a pipe as its standard input, and ends itself when nobody holds the other.
"""

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

GRACE_S = 8.0


def main(outside: Callable[[Any], Any] = lambda platform: platform) -> None:
    """Serve one function until told to end; `outside` may give its platform another outside (infra.running.outside)."""
    parser = argparse.ArgumentParser(prog="launcher")
    parser.add_argument("--function", required=True)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--world", required=True, type=Path)
    given = parser.parse_args()
    here = Path.cwd()
    sys.path.insert(0, str(here))
    lock = here / "requirements.txt"
    if not (lock.exists() and "\npandas==" in lock.read_text(encoding="utf-8")):
        sys.modules["pandas"] = None  # type: ignore[assignment] # not in its lock: talib goes without it there
    threading.Thread(target=_end_with_the_starter, daemon=True).start()
    # Late: `shared` has to come from the archive, which has just become the first place to look.
    import functions_framework
    from functions_framework._http import create_server

    from infra.one_machine.loopback import LOOPBACK
    from infra.one_machine.process_world import install
    from infra.one_machine.world_file import WorldFile
    from shared import wiring
    from shared.topology import TOPOLOGY

    if not Path(wiring.__file__).resolve().is_relative_to(here.resolve()):
        sys.exit(f"{here} is no archive: it has no shared/wiring")
    world = WorldFile.read(given.world)
    install(world, given.function, outside)
    app = functions_framework.create_app("main", source="main.py", signature_type="http")  # type: ignore[no-untyped-call]
    public = TOPOLOGY.function(given.function).public
    served = app.wsgi_app if public else world.told_in_its_time(app.wsgi_app)  # a page bounds its bodies itself
    app.wsgi_app = world.admitting(served, public=public)
    create_server(app, debug=False).run(LOOPBACK, given.port)  # type: ignore[no-untyped-call]


def _end_with_the_starter() -> None:
    """Wait until nobody holds the other end of standard input, then end, at first politely."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    main()
