"""Write `docs/webex-connect.md` and `docs/second-reading.md`, and print the figures of the second reading."""

import json
import shutil

import django

from tests import environment

folder = environment.isolate()
django.setup()

from tests.contract import document  # noqa: E402 - reads models
from tests.contract.reading import table  # noqa: E402

document.PAGE.write_text(document.page(), encoding="utf-8")
table.PAGE.write_text(table.page(), encoding="utf-8")
print(json.dumps({"bench": "readings"} | table.figures()))
shutil.rmtree(folder)
