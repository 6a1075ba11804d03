"""Where what is not in the repository lies, recorded days, cases and provider rules, and what happens without it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
BESIDE_THE_REPOSITORY = ROOT.parent / "shared" / "market-data"
CASES_BESIDE_THE_REPOSITORY = ROOT.parent / "shared" / "cases"
RULES_BESIDE_THE_REPOSITORY = ROOT.parent / "shared" / "reference" / "gcp-provider-rules.json"


def market_data_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of recorded days; without it skip the test, or fail it where they are required."""
    folder = Path(environment.get("STRATEGY_MARKET_DATA") or BESIDE_THE_REPOSITORY)
    if any(folder.glob("*.csv.gz")):
        return folder
    sentence = f"no recorded market days in {folder} (set STRATEGY_MARKET_DATA)"
    if environment.get("REQUIRE_MARKET_DATA") == "1":
        pytest.fail(sentence)
    pytest.skip(sentence)


def cases_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of broker answers that people met; without it skip the test, or fail it where required."""
    folder = Path(environment.get("STRATEGY_CASES") or CASES_BESIDE_THE_REPOSITORY)
    if any(folder.glob("*/*.json")):
        return folder
    sentence = f"no broker answers in {folder} (set STRATEGY_CASES)"
    if environment.get("REQUIRE_CASES") == "1":
        pytest.fail(sentence)
    pytest.skip(sentence)


def provider_rules(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what the Google provider refuses at preview, by resource type; without it skip, or fail when required."""
    file = Path(environment.get("STRATEGY_PROVIDER_RULES") or RULES_BESIDE_THE_REPOSITORY)
    if file.is_file():
        rules: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return {typ: rule for typ, rule in rules.items() if not typ.startswith("_")}
    sentence = f"no provider rules at {file} (set STRATEGY_PROVIDER_RULES)"
    if environment.get("REQUIRE_PROVIDER_RULES") == "1":
        pytest.fail(sentence)
    pytest.skip(sentence)
