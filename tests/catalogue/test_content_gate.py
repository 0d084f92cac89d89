"""What the content gate finds in a text, and what it leaves alone."""

from pathlib import Path

import pytest

from sms.catalogue.content_gate import findings, of_template, refusals
from sms.catalogue.content_gate.finding import CERTAIN, DOUBTFUL
from sms.catalogue.content_gate.opt_out import asks_for_a_reply
from sms.inbound.optouts import folding
from sms.models import Sender, SenderKind
from sms.values.diff import changes
from tests.support.sends import a_service

PLAIN = Path(__file__).with_name("plain_texts.txt").read_text("utf-8").splitlines()
NUMBER = Sender(address="72345", kind=SenderKind.SHORT_CODE)
OF_A_NAME = """{{name}}|{{ name }}|{{{name}}}|((name))|{name}|{ Name }|${name}|#{name}|%{name}|@{name}|[name]|[[name]]|#NAME#|##name##
<<name>>|<name>|%name%|%%name%%|*|NAME|*|{{customer.name}}|{{name|default}}|((name??Sir))|{!name}|{$name}|<%= name %>|__name__|@@name@@
~name~|^name^|@name@|$name$"""
SHOWN = [
    one
    for line in OF_A_NAME.replace("*|NAME|*", "MAILCHIMP").replace("{{name|default}}", "PIPED").splitlines()
    for one in line.split("|")
]
SHOWN = [{"MAILCHIMP": "*|NAME|*", "PIPED": "{{name|default}}"}.get(one, one) for one in SHOWN]


def codes(text, **more):
    return [one.code for one in findings(text, sender=NUMBER, **more)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Sale today", "opt_out"),
        ("Look at bit.ly/x. STOP to opt out", "shortener"),
        ("See http://shop.example STOP", "plain_link"),
        ("Your P\u0430ypal code. STOP", "look_alike"),
        ("Reply STOP ", "space"),
    ],
)
def test_each_finding_is_found_alone(text, code):
    assert codes(text) == [code]


@pytest.mark.parametrize(
    "text",
    ["Reply STOP", "See https://rabbit.ly/x STOP", "Привет, STOP", "Hi $(nаme) STOP", "mail a@t.co STOP"],
)
def test_nothing_is_found_where_nothing_is_wrong(text):
    assert codes(text) == []


@pytest.mark.parametrize("written", SHOWN)
@pytest.mark.parametrize("heading", ["name", "Name", " NAME "])
def test_the_sign_of_another_product_around_a_heading_is_certain(written, heading):
    (one,) = [one for one in findings(f"Hi {written}, STOP", names=[heading]) if one.code == "placeholder"]
    assert one.level == CERTAIN
    assert written in one.text and f"$({heading})" in one.text


@pytest.mark.parametrize(
    "written", ["{{x}}", "((first name))", "{order}", "${x}", "[urgent]", "#code#", "<<x>>", "%x%", "*|X|*"]
)
def test_around_another_word_it_is_doubtful_and_refuses_nothing(written):
    found = [one for one in findings(f"Hi {written}, STOP", names=["name"]) if one.code == "placeholder"]
    assert [one.level for one in found] == [DOUBTFUL]
    assert written in found[0].text


@pytest.mark.parametrize(
    "written", ["((Amount (GBP)))", "{{Amount (GBP)}}", "[Amount [GBP]]", "{Amount (GBP)}"]
)
def test_a_heading_with_brackets_is_known_between_any_signs(written):
    found = findings(f"Pay {written}", names=["Amount (GBP)", "Amount [GBP]"])
    assert [one.level for one in found if one.code == "placeholder"] == [CERTAIN]


@pytest.mark.parametrize("written", ["Hi $name", "Hi :name", "«name»"])
def test_what_may_be_words_is_asked_about_even_where_it_is_a_heading(written):
    assert [one.level for one in findings(written, names=["name"]) if one.code == "placeholder"] == [DOUBTFUL]


@pytest.mark.parametrize("text", PLAIN)
def test_a_legitimate_text_is_refused_by_no_heading(text):
    names = ["name", "first name", "mobile", "order no", "amount", "date", "time", "town", "ref", "column B"]
    assert refusals(findings(text, names=names)) == []


@pytest.mark.parametrize("text", [one for one in PLAIN if not one.startswith("[")])
def test_and_no_placeholder_is_seen_in_it(text):
    assert "placeholder" not in codes(text, names=["name"])


@pytest.mark.parametrize(
    ("written", "ours"), [("{{x}}", "$(x)"), ("%name%", "$(name)"), ("${name}", "$(name)")]
)
def test_a_template_refuses_another_syntax_whatever_the_word_is(written, ours):
    (sentence,) = refusals(of_template(f"Hi {written}"))
    assert written in sentence
    assert ours in sentence


@pytest.mark.parametrize(
    "written",
    [
        *(
            "{{ name",
            "${name",
            "((name)",
            "{{\nname\n}}",
            "｛｛name｝｝",
            "%(name)s",
            "\\(name)",
            "$ (name)",
            "$（name）",
        ),
        *("{{$(name)}}", "{$(name)}", "[[$(name)]]"),
    ],
)
def test_half_of_another_sign_around_a_heading_is_doubtful(written):
    (found,) = [one for one in findings(f"Hi {written}, bye", names=["name"]) if one.code == "placeholder"]
    assert found.level == DOUBTFUL


@pytest.mark.parametrize("written", ["[$(name)]", "($(name))", "(name)", "name (", "{{smartlink_1}}"])
def test_ordinary_signs_around_a_heading_are_none(written):
    found = [one.code for one in findings(f"Hi {written}, bye", names=["name"])]
    assert "placeholder" not in found


def test_smartlinks_and_percentages_are_no_placeholders():
    assert refusals(of_template("20% off, 30% off {{smartlink_7}} $(name)")) == []
    assert codes("STOP 20% off, 30% off {{smartlink_7}} $(name)", names=["off", "name"]) == []


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Reply STOP to opt out",
            "reply stop",
            "Sale! Txt STOP to end",
            "text “STOP” to unsubscribe",
            "STOP to opt out",
        ),
        *(
            "Reply YES to confirm",
            "Please reply with Y or N",
            "Reply 1 for yes",
            "Answer C to cancel",
            "Opt out: STOP",
        ),
        *(
            "Antworten Sie mit STOP",
            "Répondez STOP",
            "Envoyez STOP",
            "Responda BAJA",
            "Rispondi STOP",
            "Antwoord STOP",
        ),
        *("Svara STOPP", "Odpowiedz STOP", "Responda SAIR para sair", "Ответьте СТОП", "STOP=opt out"),
    ],
)
def test_words_that_ask_for_a_reply(text):
    assert asks_for_a_reply(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Text STOP to 60777",
            "STOP to 60777 to opt out",
            "Reply STOP to 447700 900000",
            "Senden Sie STOP an 72345",
        ),
        *("Envoyez STOP au 36180", "SMS STOP to +44 7700 900000", "To opt out, text 60777 with STOP"),
        *("Opt out: https://x.example/out", "Please do not reply to this message", "Don't reply STOP"),
        *(
            "Next stop: Oxford",
            "The bus stop is closed",
            "We reply to every letter",
            "Send flowers",
            "Don't stop",
        ),
        *(
            "Bitte nicht antworten",
            "Text us on 60777",
            "No reply needed",
            "STOP PRESS: new hours",
            "Unsubscribe: x.example/u",
        ),
    ],
)
def test_words_that_ask_for_none(text):
    assert not asks_for_a_reply(text)


@pytest.mark.django_db
def test_advice_fits_the_kind_of_the_sender():
    service = a_service()
    name = service.senders.get()
    (said,) = findings("20% off. Reply STOP to opt out", sender=name)
    assert (said.code, said.level) == ("reply", DOUBTFUL)
    assert "No one can reply to SHOP" in said.text and "link" in said.text
    (advice,) = findings("20% off", sender=name)
    assert "Reply STOP" not in advice.text and "link" in advice.text
    long = Sender.objects.create(service=service, address="447700900000", kind=SenderKind.LONG_CODE)
    (advice,) = findings("20% off", sender=name)
    assert "text STOP to +447700900000”" in advice.text, "as a phone takes it"
    long.delete()
    Sender.objects.create(service=service, address="60777", kind=SenderKind.SHORT_CODE)
    (advice,) = findings("20% off", sender=name)
    assert "text STOP to 60777" in advice.text
    assert findings("20% off. Text STOP to 60777", sender=name) == []
    assert findings("20% off. Reply STOP to opt out", sender=NUMBER) == []
    assert "Reply STOP" in findings("20% off", sender=NUMBER)[0].text


def test_changes_are_words_and_make_both_texts():
    old, new = "Hi $(name (2)), your order is here.", "Hi $(first name), your parcel is here!"
    pieces = changes(old, new)
    assert "".join(one.text for one in pieces if one.kind != "new") == old
    assert "".join(one.text for one in pieces if one.kind != "gone") == new
    assert [one.text for one in pieces if one.kind == "gone"] == ["$(name (2))", "order", "."]


MISSPELLED = {"un subscribe", "unsuscribe", "stp", "stpo", "sotp"}


def test_every_word_that_is_heeded_by_itself_counts_as_a_way_to_opt_out():
    heeded = [word for row in folding.TABLES["strong"].values() for word in row.split("|")]
    assert len(heeded) > 50
    assert [word for word in heeded if word not in MISSPELLED and "opt_out" in codes(f"Sale: {word}")] == []
