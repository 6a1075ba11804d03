"""A browser with an owner in front of it: `python -m tests.running.owner_browser SIMULATOR PAGE` signs in and is done.

The page is a file that nobody else may read and that leads to the link of the sign-in.
"""

import re
import sys
from html import unescape
from pathlib import Path
from urllib.request import url2pathname

from infra.one_machine.to_simulator import ToSimulator
from infra.simulated_day.owner import sign_in
from tests.running.browser import Site

if __name__ == "__main__":
    simulator, address = sys.argv[1:]
    page = Path(url2pathname(address.removeprefix("file://")))
    if page.stat().st_mode & 0o077 or page.parent.stat().st_mode & 0o077:
        raise SystemExit(f"{page} may be read by others")
    (target,) = re.findall(r'content="0; url=([^"]+)"', page.read_text(encoding="utf-8"))
    link = unescape(target)
    sign_in(Site(link), ToSimulator(simulator), link)
