"""The rules of `tests/architecture.py` hold here, and each of them catches a planted violation."""

import pytest

from tests import architecture
from tests.environment import ROOT

DOC = '"""Planted."""\n'

# A small tree that breaks no rule, to which each case adds one file.
CLEAN = {
    "portal/__init__.py": DOC,
    "portal/settings.py": DOC + 'ROOT_URLCONF = "portal.urls"\nBACKEND = "sms.api.receiver.View"\n',
    "portal/urls.py": DOC + "from portal import views\n",
    "portal/views.py": DOC
    + "from django.conf import settings\nfrom sms.compose import create\nfrom sms.api import receiver\n",
    "sms/__init__.py": DOC,
    "sms/apps.py": DOC + "def ready():\n    from django.conf import settings\n    from sms import checks\n",
    "sms/checks.py": DOC + "from django.conf import settings\n",
    "sms/admin.py": DOC + "from sms.models import send\n",
    "sms/api/__init__.py": DOC,
    "sms/api/receiver.py": DOC
    + "from sms.compose import create\nfrom sms.inbound import receipts\nfrom sms.worker import tasks\n",
    "sms/audiences/__init__.py": DOC,
    "sms/audiences/files.py": DOC + "from sms.values.msisdn import parse\nclass Reader: pass\n",
    "sms/compose/__init__.py": DOC,
    "sms/compose/create.py": DOC
    + "from sms.audiences import files\nfrom sms.models.send import Send\nfrom sms.values.text import segments\n",
    "sms/inbound/__init__.py": DOC,
    "sms/inbound/receipts.py": DOC + "from sms.ledger import states\nfrom sms.webex import receipts\n",
    "sms/ledger/__init__.py": DOC,
    "sms/ledger/states.py": DOC + "from sms.models.send import Send\n",
    "sms/reports/__init__.py": DOC,
    "sms/reports/query.py": DOC + "from sms.ledger import states\n",
    "sms/dispatch/__init__.py": DOC,
    "sms/dispatch/claim.py": DOC + "from sms.dispatch import post\nfrom . import post\n",
    "sms/dispatch/post.py": DOC + "from sms.webex.client import Client\n",
    "sms/models/__init__.py": DOC + "from sms.models.send import Send\n",
    "sms/models/send.py": DOC
    + "from django.conf import settings\nfrom sms.values.msisdn import parse\nuser = settings.AUTH_USER_MODEL\nclass Send: pass\n",
    "sms/worker/__init__.py": DOC,
    "sms/worker/tasks.py": DOC
    + "from sms.dispatch import claim\nfrom sms.reports import query\nfrom django_q.tasks import async_task\n",
    "sms/management/__init__.py": DOC,
    "sms/management/commands/__init__.py": DOC,
    "sms/management/commands/send.py": DOC + "class Command: pass\n",
    "sms/management/commands/webex_sandbox.py": DOC + "from sms.webex import sandbox\nclass Command: pass\n",
    "sms/migrations/__init__.py": "",
    "sms/migrations/0001_initial.py": "from django.conf import settings\nimport sms.models\n"
    + "x = 1\n" * 600,
    "sms/values/__init__.py": DOC,
    "sms/values/msisdn.py": DOC + "import phonenumbers\n",
    "sms/values/text.py": DOC,
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
    ("rooms_stand_in_one_order", "sms/besides_all.py", "", "sms.besides_all"),
    ("imports_point_down", "sms/values/text.py", "from sms.models import send", "sms.models.send"),
    ("imports_point_down", "sms/models/send.py", "def late():\n    from sms import dispatch", "sms.dispatch"),
    ("imports_point_down", "sms/models/send.py", "import sms.compose", "sms.compose"),
    ("imports_point_down", "sms/dispatch/claim.py", "from ..worker import tasks", "sms.worker.tasks"),
    (
        "imports_point_down",
        "sms/compose/create.py",
        "import importlib\nimportlib.import_module('sms.dispatch')",
        "sms.dispatch",
    ),
    ("imports_point_down", "sms/worker/tasks.py", "from portal import views", "portal.views"),
    (
        "imports_point_down",
        "sms/dispatch/post.py",
        "if TYPE_CHECKING:\n    from portal.views import page",
        "portal.views",
    ),
    (
        "imports_point_down",
        "sms/ledger/states.py",
        "from sms.inbound import receipts",
        "sms.inbound.receipts",
    ),
    ("imports_point_down", "sms/inbound/receipts.py", "from sms.compose import create", "sms.compose"),
    ("imports_point_down", "sms/reports/query.py", "from sms.inbound import receipts", "sms.inbound"),
    ("imports_point_down", "sms/api/receiver.py", "from sms.admin import page", "sms.admin"),
    ("imports_point_down", "sms/webex/client.py", "from sms.values import text", "sms.values.text"),
    (
        "files_form_no_circle",
        "sms/dispatch/post.py",
        "def late():\n    from sms.dispatch import claim",
        "sms.dispatch.claim",
    ),
    (
        "everything_is_reached",
        "sms/dispatch/unused.py",
        "from sms.dispatch import claim",
        "sms/dispatch/unused.py",
    ),
    (
        "classes_have_names_of_their_own",
        "sms/ledger/states.py",
        "class Reader: pass",
        "sms/audiences/files.py",
    ),
    ("pure_code_knows_no_django", "sms/webex/client.py", "from django.utils import timezone", "django.utils"),
    ("pure_code_knows_no_django", "sms/values/msisdn.py", "def late():\n    import django", "django"),
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
    (
        "sandbox_is_a_witness_of_its_own",
        "sms/webex/sandbox/__init__.py",
        "from sms.values import text",
        "sms.values.text",
    ),
    (
        "patterns_stand_once",
        "sms/webex/receipts.py",
        "import re\nfirst = re.compile('a+')\nsecond = re.compile('a+', re.ASCII)",
        "a+",
    ),
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
        "sms/compose/create.py",
        "def late():\n    from django import conf",
        "sms.compose.create",
    ),
    ("names_say_something", "sms/dispatch/utils.py", "", "sms/dispatch/utils.py"),
    ("names_say_something", "sms/dispatch/again.py", "", "sms/dispatch/again.py"),
    ("names_say_something", "portal/services/__init__.py", "", "portal/services"),
    ("names_say_something", "tests/helpers.py", "", "tests/helpers.py"),
    ("names_say_something", "static/css/common.css", "", "static/css/common.css"),
    ("files_stay_short", "sms/compose/create.py", "x = 1\n" * 400, "sms/compose/create.py"),
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
    _plant(tmp_path, CLEAN | {"sms/dispatch/plan.py": "x = 1\n"})
    assert [line.split(":")[0] for line in architecture.modules_introduce_themselves(tmp_path)] == [
        "sms/dispatch/plan.py"
    ]


def test_every_rule_has_a_planted_violation():
    planted = {rule for rule, *_ in PLANTED} | {"modules_introduce_themselves"}
    assert planted == {rule.__name__ for rule in architecture.RULES}


def test_repository_has_code_for_the_rules_to_read():
    names = {module.name for module in architecture.modules(ROOT)}
    assert {"portal.settings", "sms.apps", "sms.models"} <= names
