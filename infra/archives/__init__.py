"""Deployment archives: one deterministic zip for each function, holding only what the function needs.

    archive = build("market_scan", root)     raises ArchiveError with all problems, each with file and line
    path = save(archive, folder)             market_scan-<first 16 digits of archive.sha256>.zip

An archive holds main.py, requirements.txt (the function's lock) and the modules of `shared/` that static imports
reach from main.py, those inside functions included, with the data files that their packages declare. Strategies are
imported by nobody: where `strategies.registry` goes, every strategy goes, and those of the owner's folder with them, in
`shared/strategies/own`; their imports are followed as any. It uses the standard library alone, so that whoever has
Python can build it.

Identity: `sha256` is taken over names and contents, not over the zip. Files are stored and not compressed, with
fixed order, times and modes: no version of zlib and no checkout can change a byte. The cloud unpacks the archive and
limits its size far above what compression would save.
"""

from infra.archives.archive import Archive, build, build_all, functions, save
from infra.archives.problems import ArchiveError, Problem

__all__ = ["Archive", "ArchiveError", "Problem", "build", "build_all", "functions", "save"]
