"""What Textdesk is made of: the bill of materials is that of the lock file, and what the security rules let pass says why."""

import json
import re

import pytest

from tests.bom import BOM, LOCK, ROOT, bom, components

SOURCES = sorted(path for folder in ("sms", "portal") for path in (ROOT / folder).rglob("*.py"))
LET_PASS = re.compile(r"# noqa: (?:[A-Z]+\d+, )*S\d{3}\b(.*)")
REASON = re.compile(r"(?:, [A-Z]+\d+)* - \w+")


@pytest.fixture(scope="module")
def stored() -> dict:
    return json.loads(BOM.read_text(encoding="utf-8"))


def plain(made: dict) -> dict:
    """Without licences, which are read from what is installed on a machine."""
    return made | {
        "components": [{key: one[key] for key in one if key != "licenses"} for one in made["components"]]
    }


def test_the_bill_of_materials_is_that_of_the_lock_file(stored):
    assert plain(stored) == plain(bom()), "run `make sbom`"


def test_it_holds_every_pin_of_the_lock_with_every_hash(stored):
    lock = LOCK.read_text(encoding="utf-8")
    pins = re.findall(r"^([a-z0-9._-]+)(?:\[.*?\])?==([^ ;\\]+)", lock, flags=re.MULTILINE)
    assert [(one["name"], one["version"]) for one in stored["components"]] == pins
    hashes = [
        one["content"]
        for component in stored["components"]
        for reference in component["externalReferences"]
        for one in reference["hashes"]
    ]
    assert hashes == re.findall(r"--hash=sha256:([0-9a-f]{64})", lock)


def test_it_has_what_cyclonedx_1_6_requires(stored):
    assert (stored["bomFormat"], stored["specVersion"], stored["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", stored["serialNumber"])
    parts = [stored["metadata"]["component"], *stored["components"]]
    assert all(one["type"] in ("application", "library") and one["name"] for one in parts)
    refs = [one["bom-ref"] for one in parts]
    assert len(set(refs)) == len(refs)
    assert [one["ref"] for one in stored["dependencies"]] == refs
    assert {child for one in stored["dependencies"] for child in one["dependsOn"]} <= set(refs)
    licences = [one for one in stored["components"] if one.get("licenses")]
    assert len(licences) >= len(stored["components"]) - 2, "those that no machine of ours installs"


def test_a_pin_without_a_marker_and_one_with_are_read():
    lock = (
        "a==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n    # via b\n"
        "c-d[x]==2.0 ; sys_platform == 'win32' \\\n    --hash=sha256:" + "1" * 64 + " \\\n"
        "    --hash=sha256:" + "2" * 64 + "\n    # via\n    #   a\n    #   textdesk (pyproject.toml)\n"
    )
    first, second = components(lock)
    assert (first["purl"], second["purl"]) == ("pkg:pypi/a@1.0", "pkg:pypi/c-d@2.0")
    assert len(second["externalReferences"][0]["hashes"]) == 2
    assert second["properties"][0]["value"] == "sys_platform == 'win32'"


def test_everything_is_reached_from_what_pyproject_asks_for(stored):
    edges = {one["ref"]: one["dependsOn"] for one in stored["dependencies"]}
    reached, ahead = set(), [stored["metadata"]["component"]["bom-ref"]]
    while ahead:
        ref = ahead.pop()
        if ref not in reached:
            reached.add(ref)
            ahead += edges[ref]
    assert reached == set(edges)


# --- ruff's security rules ----------------------------------------------------------------------------------------------
def unexplained(text: str) -> list[str]:
    return [found[0] for found in LET_PASS.finditer(text) if not REASON.match(found[1])]


def test_whatever_the_security_rules_let_pass_says_why():
    found = {
        path.relative_to(ROOT).as_posix(): unexplained(path.read_text(encoding="utf-8")) for path in SOURCES
    }
    assert {name: lines for name, lines in found.items() if lines} == {}
    assert sum(len(LET_PASS.findall(path.read_text(encoding="utf-8"))) for path in SOURCES) > 20


def test_an_unexplained_one_is_found():
    mark = "# noqa"
    assert unexplained(f"x  {mark}: S608\ny  {mark}: S603 - our own program\nz  {mark}: F401, S311, B008 -")
    assert len(unexplained(f"x  {mark}: S608\ny  {mark}: S603 - our own program")) == 1
    assert unexplained(f"a  {mark}: F401, S311 - chance") == []


def test_the_security_rules_are_on():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r'^  "S", +# security$', project, flags=re.MULTILINE)
