"""The import rules hold here, and each of them catches a planted violation."""

import pytest

from tests import architecture
from tests.environment import ROOT

DOC = '"""Planted."""\n'

# A small tree that breaks no rule, to which each case adds one file.
CLEAN = {
    "portal/__init__.py": DOC,
    "portal/views.py": DOC
    + "from django.conf import settings\nfrom sms import compose\nfrom sms.api import doors\n",
    "sms/__init__.py": DOC,
    "sms/apps.py": DOC + "def ready():\n    from django.conf import settings\n    from sms import checks\n",
    "sms/checks.py": DOC + "from django.conf import settings\n",
    "sms/tasks.py": DOC + "from sms import dispatch\n",
    "sms/admin.py": DOC + "from sms.models import send\n",
    "sms/api/__init__.py": DOC,
    "sms/api/doors.py": DOC + "from sms.compose import create\n",
    "sms/compose.py": DOC
    + "from sms import audience\nfrom sms.models.send import Send\nfrom sms.text import segments\n",
    "sms/audience.py": DOC + "from sms.msisdn import parse\n",
    "sms/receipts.py": DOC + "from sms import correlation, wake\nfrom sms.webex import receipts\n",
    "sms/correlation.py": DOC,
    "sms/dispatch/__init__.py": DOC,
    "sms/dispatch/claim.py": DOC + "from sms.dispatch import post\nfrom . import post\n",
    "sms/dispatch/post.py": DOC + "from sms.webex.client import Client\n",
    "sms/models/__init__.py": DOC + "from sms.models.send import Send\n",
    "sms/models/send.py": DOC
    + "from django.conf import settings\nfrom sms.msisdn import parse\nuser = settings.AUTH_USER_MODEL\n",
    "sms/wake.py": DOC + "from django_q.tasks import async_task\n",
    "sms/migrations/__init__.py": "",
    "sms/migrations/0001_initial.py": "from django.conf import settings\nimport sms.models\n"
    + "x = 1\n" * 600,
    "sms/msisdn.py": DOC + "import phonenumbers\n",
    "sms/text.py": DOC,
    "sms/webex/__init__.py": DOC,
    "sms/webex/client.py": DOC + "import httpx\nfrom sms.webex import receipts\n",
    "sms/webex/receipts.py": DOC,
    "sms/webex/sandbox/__init__.py": DOC + "from sms.webex.sandbox import outcomes\n",
    "sms/webex/sandbox/outcomes.py": DOC + "import json\n",
    "tests/__init__.py": "",
    "tests/test_client.py": DOC + "import httpx\nfrom portal import views\n",
    "templates/base.html": "",
    "static/css/tokens.css": "",
}

PLANTED = [
    # rule, file, its text, what the sentence must name
    ("imports_point_down", "sms/text.py", "from sms.models import send", "sms.models.send"),
    ("imports_point_down", "sms/models/send.py", "def late():\n    from sms import dispatch", "sms.dispatch"),
    ("imports_point_down", "sms/models/send.py", "import sms.compose", "sms.compose"),
    ("imports_point_down", "sms/dispatch/claim.py", "from ..tasks import wake", "sms.tasks"),
    (
        "imports_point_down",
        "sms/compose.py",
        "import importlib\nimportlib.import_module('sms.tasks')",
        "sms.tasks",
    ),
    ("imports_point_down", "sms/webex/client.py", "from sms.audience import read", "sms.audience"),
    ("imports_point_down", "sms/tasks.py", "from portal import views", "portal.views"),
    (
        "imports_point_down",
        "sms/dispatch/post.py",
        "if TYPE_CHECKING:\n    from portal.views import page",
        "portal.views",
    ),
    ("families_keep_apart", "sms/dispatch/claim.py", "from sms import receipts", "sms.receipts"),
    ("families_keep_apart", "sms/audience.py", "from sms import compose", "sms.compose"),
    ("families_keep_apart", "sms/api/doors.py", "from sms import tasks", "sms.tasks"),
    ("families_keep_apart", "sms/webex/client.py", "from sms import msisdn", "sms.msisdn"),
    ("pure_code_knows_no_django", "sms/webex/client.py", "from django.utils import timezone", "django.utils"),
    ("pure_code_knows_no_django", "sms/msisdn.py", "def late():\n    import django", "django"),
    (
        "sandbox_is_a_witness_of_its_own",
        "sms/webex/sandbox/outcomes.py",
        "from sms.webex import receipts",
        "sms.webex.receipts",
    ),
    (
        "sandbox_is_a_witness_of_its_own",
        "sms/webex/sandbox/outcomes.py",
        "from .. import receipts",
        "sms.webex.receipts",
    ),
    ("sandbox_is_a_witness_of_its_own", "sms/webex/sandbox/__init__.py", "from sms import text", "sms.text"),
    ("httpx_has_one_home", "sms/webex/receipts.py", "import httpx", "httpx"),
    ("httpx_has_one_home", "portal/views.py", "def late():\n    from httpx import Client", "httpx"),
    ("models_stay_data", "sms/models/send.py", "from django_q.tasks import async_task", "django_q"),
    ("models_stay_data", "sms/models/send.py", "import urllib.request", "urllib.request"),
    (
        "settings_are_read_at_the_edges",
        "sms/dispatch/post.py",
        "from django.conf import settings",
        "sms.dispatch.post",
    ),
    ("settings_are_read_at_the_edges", "sms/models/send.py", "import django.conf", "sms.models.send"),
    (
        "settings_are_read_at_the_edges",
        "sms/models/send.py",
        "from django.conf import settings\nsettings.DEBUG",
        "sms.models.send",
    ),
    (
        "settings_are_read_at_the_edges",
        "sms/compose.py",
        "def late():\n    from django import conf",
        "sms.compose",
    ),
    ("names_say_something", "sms/utils.py", "", "sms/utils.py"),
    ("names_say_something", "portal/services/__init__.py", "", "portal/services"),
    ("names_say_something", "tests/helpers.py", "", "tests/helpers.py"),
    ("names_say_something", "static/css/common.css", "", "static/css/common.css"),
    ("files_stay_short", "sms/compose.py", "x = 1\n" * 500, "sms/compose.py"),
    ("files_stay_short", "tests/test_long.py", "x = 1\n" * 500, "tests/test_long.py"),
]


def _plant(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("rule", architecture.RULES, ids=lambda rule: rule.__name__)
def test_this_repository_keeps(rule):
    found = list(rule(ROOT))
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("rule", architecture.RULES, ids=lambda rule: rule.__name__)
def test_clean_tree_breaks_no_rule(rule, tmp_path):
    _plant(tmp_path, CLEAN)
    assert list(rule(tmp_path)) == []


@pytest.mark.parametrize(("rule", "file", "text", "named"), PLANTED)
def test_planted_violation_is_caught(rule, file, text, named, tmp_path):
    _plant(tmp_path, CLEAN | {file: DOC + text + "\n"})
    found = list(getattr(architecture, rule)(tmp_path))
    assert len(found) == 1, found
    assert named in found[0]


def test_module_without_docstring_is_caught(tmp_path):
    _plant(tmp_path, CLEAN | {"sms/plan.py": "x = 1\n"})
    assert [line.split(":")[0] for line in architecture.modules_introduce_themselves(tmp_path)] == [
        "sms/plan.py"
    ]


def test_every_rule_has_a_planted_violation():
    planted = {rule for rule, *_ in PLANTED} | {"modules_introduce_themselves"}
    assert planted == {rule.__name__ for rule in architecture.RULES}


def test_repository_has_code_for_the_rules_to_read():
    names = {module.name for module in architecture.modules(ROOT)}
    assert {"portal.settings", "sms.apps", "sms.models"} <= names
