"""The bill of materials: `python -m tests.bom` writes `requirements/bom.json`, CycloneDX 1.6, from the lock file of what runs.

Names, versions and hashes are those of `requirements/run.txt`, licences those that the installed packages state. `make sbom` calls it;
`tests/test_supply.py` sees that it is up to date.
"""

import json
import re
import tomllib
import uuid
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from sms import VERSION

ROOT = Path(__file__).parents[1]
BOM = ROOT / "requirements" / "bom.json"
LOCK = ROOT / "requirements" / "run.txt"
_PIN = re.compile(
    r"^(?P<name>[a-z0-9._-]+)(\[[^]]*\])?==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]+?))? \\\n(?P<more>(?:^ +.*\n?)+)",
    re.MULTILINE,
)


def components(lock: str) -> list[dict[str, Any]]:
    return [_component(match) for match in _PIN.finditer(lock)]


def _component(match: re.Match[str]) -> dict[str, Any]:
    name, version, marker = match["name"], match["version"], match["marker"]
    purl = f"pkg:pypi/{name}@{version}"
    hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})", match["more"])
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        # one for each file that may be installed, so they are of the distributions and not of one component
        "externalReferences": [
            {
                "type": "distribution",
                "url": purl,
                "hashes": [{"alg": "SHA-256", "content": content} for content in hashes],
            }
        ],
    }
    if licence := _licence(name):
        found["licenses"] = [licence]
    if marker:
        found["properties"] = [{"name": "python:environment-marker", "value": marker.strip()}]
    return found


def _licence(name: str) -> dict[str, Any]:
    """As the package states it; empty where it is not installed here, or states none in a line."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return {}
    if expression := said.get("License-Expression"):
        return {"expression": expression}
    classes = [
        one for one in said.get_all("Classifier") or () if one.startswith("License :: OSI Approved :: ")
    ]
    text = classes[0].rpartition(" :: ")[2] if classes else (said.get("License") or "").strip()
    return {"license": {"name": text}} if text and "\n" not in text else {}


def _edges(lock: str) -> dict[str, set[str]]:
    """What each package was brought by, from the lock's comments."""
    found: dict[str, set[str]] = {}
    for match in _PIN.finditer(lock):
        said = match["more"].partition("# via")[2]
        for parent in re.findall(r"[a-z0-9._-]+(?=[\s(]|$)", said.replace("#", " ")):
            found.setdefault(parent, set()).add(match["name"])
    return found


def bom() -> dict[str, Any]:
    lock = LOCK.read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    own = f"pkg:pypi/{project['name']}@{VERSION}"
    listed, edges = components(lock), _edges(lock)
    purls = {one["name"]: one["purl"] for one in listed}
    dependencies = [
        {"ref": ref, "dependsOn": sorted(purls[child] for child in edges.get(name, ()))}
        for name, ref in [(project["name"], own), *purls.items()]
    ]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, own + lock)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": project["name"],
                "version": VERSION,
                "purl": own,
            }
        },
        "components": listed,
        "dependencies": dependencies,
    }


def written(made: dict[str, Any]) -> str:
    """A line for each component, so that a change shows which."""
    parts = []
    for key, value in made.items():
        if isinstance(value, list):
            said = "[\n" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in value) + "\n]"
        else:
            said = json.dumps(value, ensure_ascii=False)
        parts.append(f"{json.dumps(key)}: {said}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    BOM.write_text(written(bom()), encoding="utf-8")
