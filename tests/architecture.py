"""The import rules, names and sizes of the code base, as functions over a source tree that return violations as sentences.

Called by `test_architecture.py`, on this repository and on small trees with planted violations. Nothing is imported: the rules read
syntax trees, so imports inside functions and under TYPE_CHECKING count like any other.

    4  portal
    3  sms.api  sms.admin  sms.tasks  sms.checks  sms.management      (the edges; sms.apps wires them up)
    2  stages: everything else in sms
    1  sms.models  sms.migrations
    0  sms.webex  sms.text  sms.gsm7  sms.msisdn  sms.correlation  sms.hours  sms.zones  sms.lint  sms.wording
       sms.public_address  sms.values
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

PURE = {
    "sms.webex",
    "sms.text",
    "sms.gsm7",
    "sms.msisdn",
    "sms.correlation",
    "sms.hours",
    "sms.zones",
    "sms.lint",
    "sms.wording",
    "sms.public_address",
    "sms.values",
}
DATA = {"sms.models", "sms.migrations"}
EDGES = {"sms.api", "sms.admin", "sms.tasks", "sms.checks", "sms.management"}
WIRING = "sms.apps"  # Django's entry point: it may import any edge to register it

# Stages meet in the database. The sideways imports that exist on purpose, by family:
SIDEWAYS: dict[str, set[str]] = {
    "sms.text": {"sms.gsm7"},  # the alphabet's table
    "sms.lint": {"sms.text"},  # it judges texts
    "sms.content": {"sms.audience", "sms.senders"},  # a row that a sender cannot reach is a reject
    "sms.zones": {"sms.msisdn"},  # where a number can be follows from its plan
    "sms.compose": {
        *("sms.content", "sms.templates", "sms.audience", "sms.plan", "sms.approval", "sms.refusal"),
        *("sms.slicing", "sms.senders", "sms.chunks", "sms.labels", "sms.wishes", "sms.trial"),
    },
    "sms.sample": {"sms.audience", "sms.chunks"},  # rows to look at, and where they are
    "sms.preview": {  # the same words as the plan, of a few rows
        *("sms.audience", "sms.sample", "sms.content", "sms.senders", "sms.templates", "sms.compose"),
    },
    "sms.labels": {"sms.refusal"},  # what is wrong with them is a problem of the send
    "sms.wishes": {"sms.refusal"},  # what cannot be asked for is a problem of compose
    "sms.dispatch": {
        "sms.approval",
        "sms.catalogue",
        "sms.wishes",
    },  # the request asks for them; what was approved is compared
    "sms.plan": {  # it foretells what these do, by their own rules
        *("sms.compose", "sms.dispatch", "sms.content", "sms.senders", "sms.audience", "sms.control"),
        *("sms.prices", "sms.slicing", "sms.wishes", "sms.approval", "sms.refusal"),
    },
    "sms.refusal": {"sms.audience"},  # compose's own errors, kept apart for length
    "sms.coming": {"sms.control", "sms.dispatch", "sms.plan"},  # a calendar foretells by the plan's rules
    "sms.narrowing": {"sms.labels"},  # the list can be narrowed down to one
    "sms.trial": {"sms.refusal"},  # the rules for tests, which compose asks
    "sms.trying": {  # a test is a send of a draft
        *("sms.audience", "sms.compose", "sms.drafts", "sms.refusal", "sms.trial"),
    },
    "sms.duplicate": {  # a draft made of what a send was made of
        *("sms.audience", "sms.chunks", "sms.compose", "sms.drafts", "sms.refusal", "sms.wishes"),
    },
    "sms.chunks": {"sms.audience"},  # how an audience lies in the database
    "sms.saved": {"sms.audience", "sms.chunks"},  # an audience that is kept
    "sms.prepare": {  # it does the work of these in the background
        *("sms.audience", "sms.chunks", "sms.compose", "sms.drafts", "sms.slicing", "sms.content"),
        *("sms.approval", "sms.refusal"),
    },
    "sms.connection": {"sms.catalogue"},  # a test signs in as sending does
    "sms.drafts": {  # a draft is a compose that is not finished
        *("sms.audience", "sms.saved", "sms.compose", "sms.chunks", "sms.content", "sms.labels"),
        *("sms.refusal", "sms.wishes"),
    },
    # some failures are a person's refusal; what comes after an erasure is shortened as what came before
    "sms.receipts": {"sms.optout", "sms.inbound"},
    "sms.archive": {"sms.facts", "sms.inbound"},  # what leaves the ledger stays in the facts
    "sms.retention": {
        "sms.archive",
        "sms.inbound",
        "sms.saved",
    },  # it decides what leaves, and these know how
    "sms.listing": {"sms.archive"},  # a file of messages, wherever they lie
    "sms.erasure": {  # a number goes from wherever one of these put it
        *("sms.archive", "sms.retention", "sms.saved", "sms.chunks", "sms.receipts", "sms.optout"),
        *("sms.personal", "sms.audience"),
    },
    "sms.disclosure": {  # what is held is read where it lies, and looked for as erasure looks
        *("sms.archive", "sms.chunks", "sms.erasure", "sms.audience", "sms.personal"),
    },
    "sms.desk": {"sms.archive"},  # a page shows a message wherever it lies
    "sms.control": {  # stopping is cancelling every send of a kind, and moving one ends its yes
        *("sms.approval", "sms.compose", "sms.refusal", "sms.sends"),
    },
    "sms.sends": {"sms.approval"},  # what is cancelled waits for no yes
    "sms.approving": {"sms.approval", "sms.sends"},  # the last yes releases, a no cancels
    "sms.rounds": {
        "sms.approval",
        "sms.callbacks",
        "sms.dispatch",
        "sms.domains",
        "sms.facts",
        "sms.receipts",
        "sms.optout",
        "sms.pulse",
        "sms.reports",
        "sms.retention",
        "sms.erasure",
        "sms.archive",
        "sms.prepare",
    },  # what a dispatching process does, in turn
}
# "look now" carries nothing, and a crash point is an empty function: neither couples anything
FOR_EVERY_STAGE = {"sms.wake", "sms.points"}

BANNED_NAMES = {"services", "utils", "helpers", "common", "misc", "constants", "managers", "core", "lib"}
LONGEST_FILE = 500
HTTPX_HOMES = ("sms.webex.client", "sms.webex.transport", "sms.callbacks.post")
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


def family(name: str) -> str:
    """`sms.dispatch.claim` → `sms.dispatch`; `portal.views.send` → `portal`."""
    return "portal" if _is_in(name, "portal") else ".".join(name.split(".")[:2])


def layer(name: str) -> int:
    """0 (pure) to 4 (portal)."""
    here = family(name)
    if here == "portal":
        return 4
    if here in EDGES or here == WIRING:
        return 3
    if here in DATA:
        return 1
    return 0 if here in PURE else 2


def _ours(name: str) -> bool:
    return (_is_in(name, "sms") and name != "sms") or _is_in(name, "portal")


# --- The rules: each takes the tree's root and yields sentences ---------------------------------------------------------
def imports_point_down(root: Path) -> Iterator[str]:
    """No layer imports one above it."""
    for module in modules(root):
        for name, line in module.imports:
            if _ours(name) and module.name != "sms" and layer(name) > layer(module.name):
                yield (
                    f"{module.path}:{line}: {module.name} (layer {layer(module.name)}) imports {name} (layer {layer(name)}). "
                    "Imports point down."
                )


def families_keep_apart(root: Path) -> Iterator[str]:
    """Within a layer only one's own family; stages by the list above, pure modules and models not at all."""
    for module in modules(root):
        here = family(module.name)
        for name, line in module.imports:
            there = family(name)
            same_layer = _ours(name) and module.name != "sms" and layer(name) == layer(module.name)
            allowed = {here, *SIDEWAYS.get(here, set()), *FOR_EVERY_STAGE}
            if same_layer and there not in allowed and here not in {WIRING, "sms.migrations"}:
                yield f"{module.path}:{line}: {here} imports its neighbour {there}. Stages meet in the database, edges in nothing."


def pure_code_knows_no_django(root: Path) -> Iterator[str]:
    """The layer at the bottom needs no framework."""
    for module in modules(root):
        if family(module.name) not in PURE:
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


def httpx_has_one_home(root: Path) -> Iterator[str]:
    """One module speaks HTTP to the provider and one to partners, so that swapping the client is one line in each."""
    for module in modules(root):
        for name, line in module.imports:
            if _is_in(name, "httpx") and module.name not in HTTPX_HOMES:
                yield f"{module.path}:{line}: {module.name} imports httpx; only {' and '.join(HTTPX_HOMES)} do."


def models_stay_data(root: Path) -> Iterator[str]:
    """Models do not enqueue and do not call HTTP."""
    for module in modules(root):
        if family(module.name) != "sms.models":
            continue
        for name, line in module.imports:
            if any(_is_in(name, banned) for banned in NOT_IN_MODELS):
                yield f"{module.path}:{line}: {module.name} is a model module and imports {name}."


def settings_are_read_at_the_edges(root: Path) -> Iterator[str]:
    """Below the edges a setting is an argument; only the name of the user model, part of the schema, is read by models."""
    for module in modules(root):
        if layer(module.name) >= 3:
            continue
        names_the_user = family(module.name) in DATA and _settings_read(module.tree) <= {"AUTH_USER_MODEL"}
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
    """500 lines at most, migrations aside."""
    for path in _paths(root, "portal", "sms", "tests"):
        length, name = len(path.read_text(encoding="utf-8").splitlines()), path.relative_to(root)
        if length > LONGEST_FILE and "migrations" not in name.parts:
            yield f"{name} has {length} lines; {LONGEST_FILE} is the most. Make it a folder with the same door."


def modules_introduce_themselves(root: Path) -> Iterator[str]:
    """Every module with code in it begins with a docstring; generated migrations are exempt."""
    for path in _paths(root, "portal", "sms", "tests"):
        tree, name = tree_of(path), path.relative_to(root)
        if tree.body and not ast.get_docstring(tree) and "migrations" not in name.parts:
            yield f"{name}: begin with a docstring: what it is for, what not, who calls it."


RULES = (
    imports_point_down,
    families_keep_apart,
    pure_code_knows_no_django,
    sandbox_is_a_witness_of_its_own,
    httpx_has_one_home,
    models_stay_data,
    settings_are_read_at_the_edges,
    names_say_something,
    files_stay_short,
    modules_introduce_themselves,
)
