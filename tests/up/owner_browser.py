"""A browser with an owner in front of it: `python -m tests.up.owner_browser SIMULATOR LINK` signs in and is done."""

import sys

from infra.day.owner import sign_in
from infra.local.process_world import ToSimulator
from infra.owner.login import Site

if __name__ == "__main__":
    simulator, link = sys.argv[1:]
    sign_in(Site(link), ToSimulator(simulator), link)
