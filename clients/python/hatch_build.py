"""Makes `textdesk_client.generated` from the OpenAPI document whenever the package is built, so that the two cannot differ."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

GENERATED = "src/textdesk_client/generated"


class GeneratedCode(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        carried = (
            root / "openapi.json"
        )  # in a source distribution; in the repository the document has its own place
        document = carried if carried.exists() else root.parents[1] / "docs" / "openapi.json"
        generate(document, root / GENERATED, root / "templates")
        if self.target_name == "sdist":
            build_data["force_include"][str(document)] = "openapi.json"
        else:
            build_data["artifacts"].append(f"/{GENERATED}/**")


def generate(document: Path, into: Path, templates: Path) -> None:
    """Lists of words become `Literal`s; with our template one that is newer than the client is kept as it came."""
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "openapi.json"
        whole.write_text(json.dumps(whole_answers(json.loads(document.read_text("utf-8")))))
        config = Path(folder) / "config.json"
        config.write_text(json.dumps({"literal_enums": True, "post_hooks": []}))
        command = [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--overwrite"),
            *("--path", str(whole), "--output-path", str(into)),
            *("--config", str(config), "--custom-template-path", str(templates)),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not (into / "client.py").exists():
        raise RuntimeError(f"The client was not generated.\n{done.stdout}{done.stderr}")


def whole_answers(document: dict[str, Any]) -> dict[str, Any]:
    """Without the parameter `fields`, for which every field of an answer may be missing: a program would have to ask of each whether
    it is there."""
    for operations in document["paths"].values():
        for operation in operations.values():
            if isinstance(operation, dict) and "parameters" in operation:
                operation["parameters"] = [
                    one for one in operation["parameters"] if one.get("name") != "fields"
                ]
    for schema in document["components"]["schemas"].values():
        is_body = schema.get("additionalProperties") is False
        if "properties" in schema and not is_body:
            schema["required"] = sorted(schema["properties"])
    return document
