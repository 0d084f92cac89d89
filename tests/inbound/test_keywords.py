"""What an incoming SMS asks for: refusals in many forms and languages, and what only looks like one."""

import pytest

from sms.inbound.optouts.folding import TABLES
from sms.inbound.optouts.keywords import KeywordReading, read

STOPS = """STOP|stop|Stop.|"STOP"|STOP!!!|  stop  |ＳＴＯＰ|stop 🙏|🛑 STOP 🛑|S T O P|s.t.o.p.|STOOOOP|StOp|\u200bSTOP\u200b
STOPALL|stop all|Please stop|stop please thanks|Stop texting me|UNSUBSCRIBE
Opt-out|OPT OUT|optout|End|QUIT|Cancel|REVOKE|remove
ARRÊT|arret|Arrêt svp|désabonner|BAJA|Alto|Parar|SAIR|Stopp|Abmelden bitte|BASTA
stoppen|Avsluta|Slutt|Afmeld|Lopeta|KONIEC|İPTAL|iptal|Стоп|arrête|stoppa|σταμάτα|zatrzymaj|zastavit|odjava|de baja|yes stop
СТОП!|отписаться|توقف|إلغاء|הסר|退订|退訂|停止|配信停止|수신거부|hủy|διαγραφή|Stopio|ยกเลิก"""


@pytest.mark.parametrize("text", [text for line in STOPS.splitlines() for text in line.split("|")])
def test_a_stop_word_is_one_however_it_is_written(text):
    assert (read(text).meaning, read(text).sure) == ("stop", True), read(text)


@pytest.mark.parametrize(
    "text",
    [
        "STOP I never signed up for this",
        "Who are you? Remove me from this list",
        "please do not text this number again",
        "Don't text me",
        "Don’t text me",
        "I want to unsubscribe",
        "take me off your list!!",
        "Bitte keine SMS mehr an diese Nummer",
        "请帮我退订谢谢",
        "🛑",
        "cancel it",
        "stop it now or I call my lawyer",
        "I want to opt out",
        "I'd like to opt out please",
        "Reply STOP",
        "reply stop to opt out",
        "text stop",
        "please send stop",
        "I already text STOP twice, remove me",
        "You said reply STOP. STOP.",
        "Help STOP",
        "start stop",
        "T",
        "TC",
        "dur",
        "ret",
        "peru",
        "uit",
        "fin",
        "para",
        "hör auf mit dem Mist",
        "no quiero más",
        "Keine Werbung mehr",
        "never text me again",
        "no texts please",
        "arrêtez de m'écrire",
        "non mi scrivete più, cancellatemi",
        "deja de mandarme mensajes",
        "STOP!! wrong number",
        "unsubscribe me from this rubbish",
        "Пожалуйста, не пишите мне больше",
    ],
)
def test_a_refusal_in_other_words_counts_and_asks_for_a_reader(text):
    assert (read(text).meaning, read(text).sure) == ("stop", False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "👍",
        "Yes",
        "Cancel my appointment on Tuesday please",
        "I can be there in the end",
        "Stop by at five",
        "do not unsubscribe me please",
        "don't stop",
        "non stop service!",
        "The bus stop is closed",
        "What does Reply STOP to opt out mean",
        "stopwatch",
        "endless",
        "Remove the blue one from my order",
        "ok thanks",
        "stop by at 5?",
        "can't stop laughing",
        "cancel my appointment please",
        "non merci je viens demain",
        "para el lunes",
        "gracias, nos vemos",
        "danke, bis morgen",
        "Ich komme am Ende der Woche",
        "je suis à la fin de la file",
        "yes",
        "no",
        "no problem",
        "see you at the next stop",
        "ben bir saat sonra gelirim",
        "ik ben uit eten",
        "dzięki, do zobaczenia",
        "vengo domani, grazie",
        "να τα πούμε αύριο",
        "увидимся завтра",
        "好的谢谢",
        "はい、大丈夫です",
        "never mind",
        "texts are fine",
        "1",
        "...",
    ],
)
def test_an_ordinary_answer_refuses_nothing(text):
    assert read(text) == KeywordReading(""), read(text)


@pytest.mark.parametrize(
    "text", ["START", "start!", "Unstop", "Opt in", "opt-in please", "старт", "ALTA", "开始"]
)
def test_start_lifts(text):
    assert read(text).meaning == "start"


@pytest.mark.parametrize(
    "text", ["start the car", "start it", "When does it start?", "yes please subscribe my brother"]
)
def test_start_among_other_words_lifts_nothing(text):
    assert read(text).meaning == ""


@pytest.mark.parametrize("text", ["HELP", "help?", "Info", "aide", "Hilfe!", "помощь", "ヘルプ", "도움말"])
def test_help_is_distinguished(text):
    assert read(text).meaning == "help"


def test_every_entry_of_the_table_reads_as_what_it_is_listed_for():
    listed = {
        "strong": "stop",
        "weak": "stop",
        "unspaced": "stop",
        "phrases": "stop",
        "start": "start",
        "help": "help",
    }
    wrong = [
        (name, entry, read(entry))
        for name, meaning in listed.items()
        for row in TABLES[name].values()
        for entry in row.split("|")
        if read(entry).meaning != meaning
    ]
    assert wrong == []


def test_a_very_long_text_is_read_quickly_and_from_its_beginning():
    assert read("stop " + "a " * 1_000_000).meaning == "stop"
    assert read("a" * 5_000_000).meaning == ""
