"""docs/going-live.md tells what the page tells: the same steps in the same order, the same regions, the same addresses."""

import re
from pathlib import Path

import pytest

from portal.going_live.steps import PARTS
from sms.models import Region
from sms.webex.hosts import EGRESS, LEGACY

DOCUMENT = (Path(__file__).parents[2] / "docs" / "going-live.md").read_text(encoding="utf-8")
PLAIN = re.sub(r"\s+", " ", DOCUMENT)


def test_the_document_tells_every_step_in_the_order_of_the_page():
    told = PLAIN.index("## The steps")
    for part in PARTS:
        told = PLAIN.index(f"### {part.title} ", told)
        for step in part.steps:
            told = PLAIN.index(f"- **{step.title}.** {step.do}", told)
            end = PLAIN.find(" - **", told + 1)
            item = PLAIN[told : end if end > 0 else None]
            assert f"*Takes: {step.wait}.*" in item if step.wait else "*Takes:" not in item, step.key
            assert f"“{step.confirm}”" in item if step.confirm else "can state" not in item, step.key
    steps = sum(len(part.steps) for part in PARTS)
    assert len(re.findall(r"^- \*\*", DOCUMENT[DOCUMENT.index("## The steps") :], re.MULTILINE)) == steps


@pytest.mark.django_db
def test_the_document_has_the_regions_of_a_new_installation():
    regions = list(Region.objects.all())
    assert len(regions) == 8
    for region in regions:
        guess = "" if region.host_documented else " (a guess: not documented)"
        target = f"{region.dns_kind} `{region.dns_target}`"
        row = f"| {region.name} | `{region.host}`{guess} | {target} | {', '.join(EGRESS[region.key])} |"
        assert row in DOCUMENT, region.name
    assert DOCUMENT.count("a guess: not documented") == 1


def test_the_document_has_the_older_addresses_and_the_trap():
    for one in LEGACY:
        assert f"| {one.name} | `tenant.{one.tenant}` | `https://{one.host}` |" in DOCUMENT
    assert "`imiconnect.eu` is in London, and the region `eu` is Ireland" in PLAIN
