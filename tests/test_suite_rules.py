"""Rules for the tests themselves."""

import ast
from pathlib import Path

from tests.environment import ROOT


def imports_of_tests(root: Path) -> list[str]:
    """Lines that import from a module of tests, as `path:line`. What two modules of tests need belongs in `tests/support/`."""
    found = []
    for path in sorted((root / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{one.name}" for one in node.names]
            elif isinstance(node, ast.Import):
                names = [one.name for one in node.names]
            else:
                continue
            parts = {part for name in names if name.startswith("tests.") for part in name.split(".")}
            if any(part.startswith("test_") or part == "conftest" for part in parts):
                found.append(f"{path.relative_to(root)}:{node.lineno}")
    return found


def test_no_module_of_tests_is_imported_by_another():
    assert imports_of_tests(ROOT) == []


def test_such_an_import_is_found_however_it_is_written(tmp_path):
    lines = (
        "from tests.inbound.test_receipts import post",
        "from tests.compose import test_receipts",
        "import tests.values.test_text as t",
        "from tests.browser.conftest import page",
        "from tests.support.receipts import post",
    )
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text("\n".join(lines))
    assert imports_of_tests(tmp_path) == [f"tests/test_it.py:{line}" for line in (1, 2, 3, 4)]
