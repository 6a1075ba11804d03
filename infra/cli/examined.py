"""What `strategy doctor` does: make every check, and say each finding."""

import os
import sys
from pathlib import Path

import typer

from infra.cli.exits import BROKEN
from infra.cli.hand import show
from infra.operations import doctor as examination
from infra.operations.doctor import Finding, Result
from infra.operations.profiles import Hand
from infra.running.wanted import given


def doctor(hand: Hand, *, cloud: bool, notice: bool, json: bool) -> None:
    """Make every check and print a line for each; raises typer.Exit where anything is wrong."""
    environ = os.environ if cloud or hand.simulated else given(Path(hand.name), os.environ)
    patient = examination.Patient(hand=hand, environ=environ, cloud=cloud)
    found = list(examination.examine(patient, notice=notice))
    show(found, lambda: sys.stdout.writelines(f"{_line(one)}\n" for one in found), json=json)
    if any(one.result is Result.PROBLEM for one in found):
        raise typer.Exit(BROKEN)


def _line(one: Finding) -> str:
    remedy = f" Remedy: {one.remedy}." if one.remedy else ""
    return f"{one.result:<12} {one.check}: {one.says}.{remedy}"
