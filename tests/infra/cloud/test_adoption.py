"""What is taken in after a killed `cloud-up`, and how, is said for every kind of resource that the program makes."""

import importlib
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from infra.tools import adoption
from tests.infra.cloud.capture import Graph, Registered
from tests.infra.cloud.sdk import PACKAGE

TABLES = {
    "ADOPTED": frozenset(adoption.ADOPTED),
    "FOUND": frozenset(adoption.FOUND),
    "REPEATED": adoption.REPEATED,
    "DRAWN": frozenset(adoption.DRAWN),
}
# The installed package has no word about the import of these; its registry and the provider below it have.
ELSEWHERE = {
    "gcp:serviceaccount/account:Account": "projects/{{project_id}}/serviceAccounts/{{email}}",
    "gcp:storage/bucket:Bucket": "{{project_id}}/{{bucket}}",
}
SAME = {
    "{{project_id}}": "{{project}}", "{{bucket}}": "{{name}}",
    "{{email}}": "{{account_id}}@{{project}}.iam.gserviceaccount.com",
}  # fmt: skip


@pytest.fixture
def all_graphs(graphs: Mapping[str, Graph], extended: Graph) -> list[Graph]:
    """Give every graph there is, and with them every kind that the program can make."""
    return [*graphs.values(), extended]


def unsaid(kinds: set[str], tables: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """Name every kind that stands in no table or in two, and every row that nothing is made of."""
    for kind in sorted(kinds):
        named = [name for name, table in tables.items() if kind in table]
        if len(named) != 1:
            yield f"{kind} stands in {named or 'no table'}"
    for kind in sorted(set().union(*tables.values()) - kinds):
        yield f"{kind} is not made"


def test_every_kind_has_its_place(all_graphs: list[Graph]) -> None:
    """Each kind that any stack makes stands in one of the four tables, and the tables hold nothing else."""
    kinds = {one.typ for graph in all_graphs for one in graph.custom}
    assert list(unsaid(kinds, TABLES)) == []
    for lost in (*adoption.ADOPTED, *adoption.FOUND):
        assert list(unsaid(kinds, {name: table - {lost} for name, table in TABLES.items()})), f"seeded: without {lost}"
    assert list(unsaid(kinds, {**TABLES, "DRAWN": TABLES["DRAWN"] | {adoption.INDEX}})), "seeded: in two tables"
    assert list(unsaid(kinds - {adoption.INDEX}, TABLES)), "seeded: a row too many"


def test_every_fixed_name_gives_its_id(all_graphs: list[Graph]) -> None:
    """What is taken in by its name has an id from its own inputs alone, and no two things of a stack have the same."""
    for graph in all_graphs:
        project = graph.config["gcp:project"]
        adopted = [one for one in graph.custom if one.typ in adoption.ADOPTED]
        ids = {one.urn: adoption.import_id(one.typ, one.inputs, project) for one in adopted}
        assert len(ids) > 40
        assert len({(one.typ, ids[one.urn]) for one in adopted}) == len(ids)
        assert all(project in ident and "{" not in ident for ident in ids.values())


def test_an_id_is_not_made_up(graphs: Mapping[str, Graph]) -> None:
    """Where the project is not known, or an input is not there, no id is written: the one that is missing is named."""
    for one in graphs["production"].custom:
        if one.typ in adoption.ADOPTED and "project" not in one.inputs:
            with pytest.raises(KeyError, match="project"):
                adoption.import_id(one.typ, one.inputs, "")
            with pytest.raises(KeyError):
                adoption.import_id(one.typ, {}, "example-project")
    for backups in graphs["production"].of("BackupSchedule"):
        with pytest.raises(KeyError, match="project"):
            adoption.listing(backups.typ, backups.inputs, "")


def documented(kind: str) -> set[str]:
    """Give the ids by which the package says that a kind can be imported, with one word for one thing."""
    _, module, name = kind.split(":")
    made = getattr(importlib.import_module(f"{PACKAGE}.{module.partition('/')[0]}"), name)
    _, _, said = Path(inspect.getfile(made)).read_text(encoding="utf-8").partition("## Import")
    formats = re.findall(r"^ +\* `([^`]+)`$", said.partition(":param")[0], re.MULTILINE)
    assert bool(formats) != (kind in ELSEWHERE), kind
    return {_with_one_word(one) for one in (*formats, *filter(None, [ELSEWHERE.get(kind)]))}


def _with_one_word(text: str) -> str:
    for word, same in SAME.items():
        text = text.replace(word, same)
    return text


@pytest.mark.parametrize("kind", sorted(adoption.ADOPTED))
def test_an_id_is_one_that_the_package_documents(kind: str) -> None:
    """The form of each id is the package's own, so the provider reads it."""
    ours = re.sub(r"\{([A-Za-z]+)\}", lambda found: "{{" + _snake(found[1]) + "}}", adoption.ADOPTED[kind])
    assert ours in documented(kind)
    assert ours.replace("}}/", "}}-", 1) not in documented(kind), "seeded: a typo"


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", name)


def _as_listed(one: Registered, project: str) -> dict[str, object]:
    """Give a resource as Google's list has it, under an id of Google's own."""
    where = f"projects/{project}/databases/{one.inputs['database']}"
    if one.typ == adoption.BACKUPS:
        return {"name": f"{where}/backupSchedules/{one.name}", "dailyRecurrence": {}}
    last = {"fieldPath": "__name__", "order": "ASCENDING"}
    fields = [*one.inputs["fields"], last]
    return {"name": f"{where}/collectionGroups/{one.inputs['collection']}/indexes/{one.name}", "fields": fields}


@pytest.mark.parametrize("kind", sorted(adoption.FOUND))
def test_what_google_names_is_found_in_its_list(extended: Graph, kind: str) -> None:
    """The one that is like it is found among others, in its own database and project, and none where there is none."""
    project = extended.config["gcp:project"]
    made = [one for one in extended.custom if one.typ == kind]
    assert made
    for one in made:
        wanted = adoption.listing(kind, one.inputs, project)
        assert {f"--database={one.inputs['database']}", f"--project={project}", "--format=json"} < set(wanted.words)
        own = _as_listed(one, project)
        others = _others(own)
        assert wanted.ids([*others, own]) == [own["name"]]
        assert wanted.ids(others) == []


def _others(own: dict[str, object]) -> list[dict[str, object]]:
    if "dailyRecurrence" in own:
        return [{"name": "weekly", "weeklyRecurrence": {"day": "SUNDAY"}}]
    fields: list[dict[str, str]] = own["fields"]  # type: ignore[assignment]
    falling = [{**one, "order": "DESCENDING"} for one in fields]
    elsewhere = str(own["name"]).replace("/collectionGroups/", "/collectionGroups/not-")
    return [
        {**own, "name": elsewhere},
        {**own, "name": f"{own['name']}-2", "fields": fields[1:]},
        {**own, "name": f"{own['name']}-3", "fields": falling},
        {**own, "name": f"{own['name']}-4", "fields": [fields[1], fields[0], *fields[2:]]},
    ]
