"""Who is meant, on a large scale: `python -m tests.bench.numbers [--valid 200000] [--misdialled 20000] [--seed 7]` prints JSON lines.

Valid numbers of every region are made by the patterns of `phonenumbers` and judged by it alone: each is read in its national form, in its
international form with and without +, and with its exit code, by its own country; those that come out as another number are counted, and
listed where digits alone can be two numbers. Then misdialled ones of seven countries: how many are kept without a word, or go abroad. Then
the speed of reading, in CPU seconds.
"""

import argparse
import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterator

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberFormat

from sms.values.msisdn import BadNumber, parse
from sms.values.msisdn.kinds import DOUBTFUL, NumberKind
from tests.support.misdialled import COUNTRIES, misdialled

KINDS = ("mobile", "fixed_line", "toll_free", "voip", "uan", "personal_number", "shared_cost")
LISTED = 12


def main() -> None:
    line = argparse.ArgumentParser()
    line.add_argument("--valid", type=int, default=200_000)
    line.add_argument("--misdialled", type=int, default=20_000)
    line.add_argument("--seed", type=int, default=7)
    options = line.parse_args()
    print(json.dumps(read_right(options.valid, options.seed)))
    for country in COUNTRIES:
        print(json.dumps(misread(country, options.misdialled, options.seed)))
    print(json.dumps(speed()))


def valid_numbers(count: int, dice: random.Random) -> Iterator[tuple[str, phonenumbers.PhoneNumber]]:
    """As many of each region, of all kinds: an example with its last digits thrown again, where it stays valid."""
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    examples = {
        region: [
            (phonenumbers.country_code_for_region(region), one.example_number)
            for one in (getattr(PhoneMetadata.metadata_for_region(region), kind) for kind in KINDS)
            if one is not None and one.example_number
        ]
        for region in regions
    }
    made = 0
    while made < count:
        for region in regions:
            code, example = dice.choice(examples[region])
            kept = dice.randrange(2, max(len(example) - 2, 3))
            national = example[:kept] + "".join(dice.choices("0123456789", k=len(example) - kept))
            number = phonenumbers.parse(f"+{code}{national}")
            if phonenumbers.is_valid_number_for_region(number, region):
                made += 1
                yield region, number


def read_right(count: int, seed: int) -> dict[str, object]:
    wrong: Counter[str] = Counter()
    forms: Counter[str] = Counter()
    listed: dict[str, list[str]] = {}
    for region, number in valid_numbers(count, random.Random(seed)):
        e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
        written = {
            "+": e164,
            "00": f"00{e164[1:]}",
            "no plus": e164[1:],
            "national": phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL),
            "national, no trunk": phonenumbers.national_significant_number(number),
            "international": phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL),
        }
        for form, text in written.items():
            forms[form] += 1
            try:
                found = parse(text, country=region).e164
            except BadNumber as refused:
                found = f"refused: {refused.code}"
            if found != e164:
                wrong[form] += 1
                told = listed.setdefault(f"{form} {region}", [])
                told.append(f"{_hidden(text)} → {_hidden(found)}")
    shown = dict(sorted(listed.items(), key=lambda one: -len(one[1]))[:LISTED])
    return {
        "bench": "valid numbers",
        "numbers": forms["+"],
        "forms": sum(forms.values()),
        "otherwise": dict(wrong),
        "most": {name: [len(told), told[0]] for name, told in shown.items()},
    }


def _hidden(text: str) -> str:
    return re.sub(r"\d(?=\d{0,1}$)", "x", text)


def misread(country: str, count: int, seed: int) -> dict[str, object]:
    told: Counter[str] = Counter()
    for written in misdialled(country, count, dice=random.Random(seed)):
        try:
            found = parse(written, country=country)
        except BadNumber:
            told["refused"] += 1
            continue
        if found.kind not in DOUBTFUL:
            told["kept without a word"] += 1
        elif found.kind == NumberKind.ABROAD:
            told["asked: abroad, left out unless chosen"] += 1
        else:
            told["goes abroad" if found.country != country else f"asked: {found.kind.names[0]}"] += 1
    bad = {name: told.pop(name, 0) for name in ("kept without a word", "goes abroad")}
    return {"bench": "misdialled", "country": country, "numbers": count, **bad, **told}


def speed(count: int = 200_000) -> dict[str, object]:
    kinds = {
        "mobiles of GB": ([f"07{712_000_000 + at:09}" for at in range(count)], "GB"),
        "US with a digit too many": ([f"336{5_551_000_0 + at:08}" for at in range(count // 4)], "US"),
        "with spaces": ([f"07712 {at % 1_000_000:06}" for at in range(count // 4)], "GB"),
    }
    told: dict[str, object] = {"bench": "numbers a CPU second"}
    for name, (rows, country) in kinds.items():
        began = time.process_time()
        for one in rows:
            try:
                parse(one, country=country)
            except BadNumber:
                continue
        told[name] = round(len(rows) / (time.process_time() - began))
    return told


if __name__ == "__main__":
    main()
