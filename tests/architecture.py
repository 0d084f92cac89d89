"""The rooms of the code base in one order, and rules for names and sizes: functions over a source tree that yield violations.

Called by `test_architecture.py`, on this repository and on small trees with planted violations. Nothing is imported: the rules read
syntax trees, so imports inside functions and under TYPE_CHECKING count like any other. `docs/architecture.md` draws the order.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path

# A module imports its own room and rooms that stand before it. Rooms in one line do not import each other.
ORDER: tuple[tuple[str, ...], ...] = (
    ("sms.words",),
    ("sms.values", "sms.webex"),
    ("sms.models",),
    ("sms.migrations",),
    ("sms.notices",),
    ("sms.callbacks",),
    ("sms.ledger",),
    ("sms.guard",),
    ("sms.catalogue",),
    ("sms.audiences",),
    ("sms.compose",),
    ("sms.inbound",),
    ("sms.reports",),
    ("sms.compliance",),
    ("sms.simulator",),
    ("sms.dispatch",),
    ("sms.sends",),
    ("sms.operations",),
    ("sms.worker",),
    ("sms.api", "sms.admin", "sms.management", "sms.checks"),
    ("sms.apps",),
    ("portal",),
)
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}
STRANGERS = {  # rooms that do not know each other, though one stands before the other
    frozenset({"sms.compose", "sms.inbound"}),
    frozenset({"sms.inbound", "sms.reports"}),
}
WITHOUT_DJANGO = {"sms.values", "sms.webex"}
EDGES = {"sms.api", "sms.admin", "sms.management", "sms.checks", "sms.apps", "sms.worker", "portal"}

# Where Django, the web server, the shell or the queue come in. Everything else must be reached from one of these.
ENTRY_POINTS = (
    "portal.settings",
    "portal.asgi",
    "portal.wsgi",
    "portal.keys",
    "portal.__main__",
    "portal.command_line",
    "portal.admin",
    "portal.apps",
    "portal.models",
    "sms.admin",
    "sms.apps",
    "sms.models",
    "sms.worker.tasks",
)
ENTRY_PACKAGES = (
    "portal.formats",
    "portal.management.commands",
    "portal.migrations",
    "portal.templatetags",
    "sms.management.commands",
    "sms.migrations",
)

BANNED_NAMES = {
    *("services", "utils", "helpers", "common", "misc", "constants", "managers", "core", "lib"),
    *("look", "again", "besides", "rounds", "doors", "shelf", "points"),
}
NAMED_BY_DJANGO = {"Command", "Migration"}  # classes that it finds by this name, one in each file
LONGEST_PRODUCT_FILE, LONGEST_TEST_FILE = 400, 500
HTTPX_HOMES = ("sms.webex.client", "sms.webex.transport", "sms.webex.simulated", "sms.callbacks.post")
# What a model may not touch: queue, network
NOT_IN_MODELS = {"django_q", "httpx", "requests", "urllib.request", "http.client", "socket"}
FOLDERS = ("portal", "sms", "tests", "templates", "static")


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file: its dotted name, and what it imports with the line where it does."""

    name: str
    path: Path
    tree: ast.Module
    imports: list[tuple[str, int]] = field(default_factory=list)


@cache  # every rule reads the same trees
def modules(root: Path) -> list[Module]:
    """Every module of portal and sms, imports resolved to the deepest module that exists in the tree. Read once."""
    paths = _paths(root, "portal", "sms")
    names = {_name(path, root) for path in paths}
    found = []
    for path in paths:
        module = Module(name=_name(path, root), path=path.relative_to(root), tree=tree_of(path))
        is_package = path.name == "__init__.py"
        imports = _imports(module.tree, module.name, is_package=is_package, known=names)
        module.imports.extend(dict.fromkeys(imports))
        found.append(module)
    return found


def _paths(root: Path, *folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((root / folder).rglob("*.py"))]


@cache
def tree_of(path: Path) -> ast.Module:
    """A file's syntax, read once."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(tree: ast.Module, here: str, *, is_package: bool, known: set[str]) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield alias.name, node.lineno
            case ast.ImportFrom(module=module, names=names, level=level):
                base = _absolute(module or "", here, level=level, is_package=is_package)
                for alias in names:
                    longer = f"{base}.{alias.name}"
                    yield (longer if longer in known or longer == "django.conf" else base), node.lineno
            # the one dynamic form worth catching: a literal name
            case ast.Call(
                func=ast.Attribute(attr="import_module") | ast.Name(id="import_module" | "__import__"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield name, node.lineno


def _absolute(module: str, here: str, *, level: int, is_package: bool) -> str:
    if level == 0:
        return module
    parts = here.split(".")
    base = parts[: len(parts) - level + (1 if is_package else 0)]
    return ".".join([*base, module] if module else base)


def _is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def room(name: str) -> str:
    """`sms.dispatch.claim` → `sms.dispatch`; `portal.views.sends` → `portal`."""
    return "portal" if _is_in(name, "portal") else ".".join(name.split(".")[:2])


def _ours(name: str) -> bool:
    return (_is_in(name, "sms") and name != "sms") or _is_in(name, "portal")


# --- The rules: each takes the tree's root and yields sentences ---------------------------------------------------------
def rooms_stand_in_one_order(root: Path) -> Iterator[str]:
    """Every module stands in a room of the list above."""
    for module in modules(root):
        if _ours(module.name) and room(module.name) not in RANK:
            yield f"{module.path}: {room(module.name)} is no room. Put it into one of: {', '.join(RANK)}."


def imports_point_down(root: Path) -> Iterator[str]:
    """A room imports only rooms that stand before it."""
    for module in modules(root):
        here = room(module.name)
        for name, line in module.imports:
            there = room(name)
            if not _ours(name) or not {here, there} <= RANK.keys() or there == here:
                continue
            if RANK[there] >= RANK[here]:
                yield f"{module.path}:{line}: {here} imports {name}; {there} does not stand before it."
            elif frozenset({here, there}) in STRANGERS:
                yield f"{module.path}:{line}: {here} imports {name}; the two do not know each other."


def files_form_no_circle(root: Path) -> Iterator[str]:
    """No two files need each other, directly or by way of others."""
    arrows = {module.name: _files_imported(module, root) for module in modules(root)}
    for circle in _circles(arrows):
        yield f"{' → '.join(circle)}: these files import each other in a circle. Move what they share below them."


def _files_imported(module: Module, root: Path) -> set[str]:
    known = {one.name for one in modules(root)}
    found = {_deepest(name, known) for name, _ in module.imports}
    return {name for name in found if name and name not in {"sms", module.name}}


def _deepest(name: str, known: set[str]) -> str:
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name


def _circles(arrows: Mapping[str, set[str]]) -> Iterator[list[str]]:
    """The strongly connected parts with more than one file (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(name: str) -> Iterator[list[str]]:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(arrows.get(name, ())):
            if other not in index:
                yield from visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            part = stack[stack.index(name) :]
            del stack[-len(part) :]
            if len(part) > 1:
                yield part

    for name in arrows:
        if name not in index:
            yield from visit(name)


def everything_is_reached(root: Path) -> Iterator[str]:
    """Every module is imported, or named in a string as Django and the queue do, on some way from an entry point."""
    by_name = {module.name: module for module in modules(root)}
    waiting = [name for name in by_name if _is_entry_point(name)]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in reached or name not in by_name:
            continue
        reached.add(name)
        module = by_name[name]
        named = {_deepest(text, set(by_name)) for text in _dotted_strings(module.tree)}
        waiting += [name.rpartition(".")[0], *_files_imported(module, root), *named]
    for module in by_name.values():
        if module.name not in reached and module.tree.body:
            yield f"{module.path}: no entry point reaches it. Use it or delete it."


def _is_entry_point(name: str) -> bool:
    return (
        name in ENTRY_POINTS
        or name.endswith(".__main__")
        or any(_is_in(name, package) for package in ENTRY_PACKAGES)
    )


def _dotted_strings(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value.startswith(("sms.", "portal."))
        ):
            yield node.value


def classes_have_names_of_their_own(root: Path) -> Iterator[str]:
    """A class name stands once in the tree, so that it can be searched for."""
    places = sorted(
        (node.name, str(module.path))
        for module in modules(root)
        for node in module.tree.body
        if isinstance(node, ast.ClassDef) and node.name not in NAMED_BY_DJANGO
    )
    for name, group in groupby(places, key=lambda place: place[0]):
        paths = [path for _, path in group]
        if len(paths) > 1:
            yield f"{name} is a class in {' and '.join(paths)}. Name each after what it alone is."


def pure_code_knows_no_django(root: Path) -> Iterator[str]:
    """The two rooms at the bottom need no framework."""
    for module in modules(root):
        if room(module.name) not in WITHOUT_DJANGO:
            continue
        for name, line in module.imports:
            if name.split(".")[0] in {"django", "rest_framework", "django_q", "allauth"}:
                yield f"{module.path}:{line}: {module.name} is pure and imports {name}."


def sandbox_is_a_witness_of_its_own(root: Path) -> Iterator[str]:
    """The sandbox shares no code with the client it checks."""
    for module in modules(root):
        if not _is_in(module.name, "sms.webex.sandbox"):
            continue
        for name, line in module.imports:
            if (_ours(name) or name == "sms") and not _is_in(name, "sms.webex.sandbox"):
                yield f"{module.path}:{line}: the sandbox imports {name}; it must share no code with what it checks."


def patterns_stand_once(root: Path) -> Iterator[str]:
    """A pattern of two places would be changed in one of them. The sandbox has its own, as a second reading of the documents."""
    places: dict[str, list[str]] = {}
    for module in modules(root):
        if _is_in(module.name, "sms.webex.sandbox"):
            continue
        for node in ast.walk(module.tree):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="re"), attr="compile"),
                    args=[ast.Constant(value=str(pattern) | bytes(pattern)), *_],
                ):
                    places.setdefault(str(pattern), []).append(f"{module.path}:{node.lineno}")
    for pattern, lines in places.items():
        if len(lines) > 1:
            yield f"The pattern {pattern} stands in {' and '.join(lines)}. Give it a name in the lowest room that both know."


def httpx_has_one_home(root: Path) -> Iterator[str]:
    """One module speaks HTTP to the provider and one to partners, so that swapping the client is one line in each."""
    for module in modules(root):
        for name, line in module.imports:
            if _is_in(name, "httpx") and module.name not in HTTPX_HOMES:
                yield f"{module.path}:{line}: {module.name} imports httpx; only {' and '.join(HTTPX_HOMES)} do."


def models_stay_data(root: Path) -> Iterator[str]:
    """Models do not enqueue and do not call HTTP."""
    for module in modules(root):
        if room(module.name) != "sms.models":
            continue
        for name, line in module.imports:
            if any(_is_in(name, banned) for banned in NOT_IN_MODELS):
                yield f"{module.path}:{line}: {module.name} is a model module and imports {name}."


def settings_are_read_at_the_edges(root: Path) -> Iterator[str]:
    """Below the edges a setting is an argument; only the name of the user model, part of the schema, is read by models."""
    for module in modules(root):
        if room(module.name) in EDGES:
            continue
        names_the_user = room(module.name) in {"sms.models", "sms.migrations"} and _settings_read(
            module.tree
        ) <= {"AUTH_USER_MODEL"}
        for name, line in module.imports:
            if _is_in(name, "django.conf") and not names_the_user:
                yield f"{module.path}:{line}: {module.name} reads django.conf; take the value as an argument."


def _settings_read(tree: ast.Module) -> set[str]:
    """Attributes taken from `settings`; any other use of it counts as "everything"."""
    attributes = [
        node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _is_settings(node.value)
    ]
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.expr) and _is_settings(node)]
    plain_import = any(
        isinstance(node, ast.Import) and any(a.name == "django.conf" for a in node.names)
        for node in ast.walk(tree)
    )
    everything = {"everything"} if len(uses) > len(attributes) or plain_import else set()
    return {node.attr for node in attributes} | everything


def _is_settings(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "settings"


def names_say_something(root: Path) -> Iterator[str]:
    """No file or folder is named after its layer."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if "__pycache__" not in path.parts and path.stem in BANNED_NAMES:
                yield f"{path.relative_to(root)}: a file or folder named {path.stem} says nothing; name it after what it does."


def files_stay_short(root: Path) -> Iterator[str]:
    """400 lines at most in the product, 500 in tests, migrations aside."""
    for path in _paths(root, "portal", "sms", "tests"):
        length, name = len(path.read_text(encoding="utf-8").splitlines()), path.relative_to(root)
        most = LONGEST_TEST_FILE if name.parts[0] == "tests" else LONGEST_PRODUCT_FILE
        if length > most and "migrations" not in name.parts:
            yield f"{name} has {length} lines; {most} is the most. Split it by topic."


def modules_introduce_themselves(root: Path) -> Iterator[str]:
    """Every module with code in it begins with a docstring; generated migrations are exempt."""
    for path in _paths(root, "portal", "sms", "tests"):
        tree, name = tree_of(path), path.relative_to(root)
        if tree.body and not ast.get_docstring(tree) and "migrations" not in name.parts:
            yield f"{name}: begin with a docstring: what it is for, what not, who calls it."


RULES = (
    rooms_stand_in_one_order,
    imports_point_down,
    files_form_no_circle,
    everything_is_reached,
    classes_have_names_of_their_own,
    pure_code_knows_no_django,
    sandbox_is_a_witness_of_its_own,
    patterns_stand_once,
    httpx_has_one_home,
    models_stay_data,
    settings_are_read_at_the_edges,
    names_say_something,
    files_stay_short,
    modules_introduce_themselves,
)
