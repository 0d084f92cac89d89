"""The words by which people refuse, accept again and ask for help, by language (ISO 639). Entries of a row are parted by `|`.

Data for `words`, which folds case, accents and marks away on both sides. A word belongs into STRONG only where no ordinary answer
begins with it: "cancel my appointment" is none of our business, "cancel" alone is.
"""

# Alone or at the beginning of a text.
STRONG = {
    "en": "stop|stopall|stop all|unsubscribe|unsub|unsuscribe|optout|opt out|stp|stpo|sotp|stop2end",
    "fr": "arret|arrête|arrêter|arrêtez|désabonner|désabonnement|désinscrire|désinscription|stop pub",
    "es": "baja|dar de baja|darme de baja|desuscribir|desuscribirme",
    "pt": "descadastrar|descadastre|desinscrever",
    "de": "stopp|abmelden|abbestellen|austragen",
    "it": "stoppa|disiscrivimi|disiscrivi|cancellami",
    "nl": "stoppen|afmelden|uitschrijven",
    "sv": "avregistrera|avprenumerera",
    "no": "avmeld|avmelding",
    "da": "afmeld|frameld",
    "fi": "lopeta|peruuta tilaus",
    "pl": "zatrzymaj|rezygnuję|wypisz|wypisz mnie",
    "cs": "odhlásit|odhlaste|zastavit|zastavte",
    "hr": "odjava|odjavi|odjavite",
    "ro": "dezabonare|dezabonați",
    "hu": "leiratkozás|leiratkozom",
    "tr": "iptal|abonelikten çık",
    "el": "διαγραφή|σταμάτα|σταματήστε",
    "ru": "стоп|отписаться|отписка|отпишите",
    "uk": "відписатися|відпишіть",
    "cy": "stopio",
    "id": "berhenti langganan",
    "vi": "từ chối",
}

# Refusals, and ordinary words somewhere else, too: heeded, and shown to a person.
DOUBTFUL = {
    "es": "para|fin",
    "nl": "uit",
    "fi": "peru",
    "tr": "dur|ret",
    "vi": "tc",
    "zh": "T|TD",
}

# Only where nothing else is said.
WEAK = {
    "en": "end|quit|cancel|revoke|remove|remove me|no more|leave me alone|stop it|stop this|stop now|fuck off|go away",
    "fr": "fin|annuler|non merci",
    "es": "alto|para|de baja|parar|parad|cancelar|detener|salir|fin|no más",
    "pt": "parar|pare|sair|cancelar|remover",
    "de": "ende|hör auf|hören sie auf|kündigen|beenden|schluss|aufhören",
    "it": "basta|ferma|fermare|annulla|cancella",
    "nl": "einde|stop maar|uit",
    "sv": "avsluta|sluta",
    "no": "slutt|avslutt",
    "da": "slut|ophør",
    "fi": "peru|poista",
    "pl": "koniec|anuluj|rezygnacja",
    "cs": "konec|zrušit",
    "ro": "renunț|opreste",
    "hu": "vége|állj",
    "tr": "dur|ret|çık",
    "el": "τέλος|διακοπή|στοπ",
    "ru": "отмена|хватит|прекратить",
    "uk": "скасувати|досить",
    "id": "berhenti|keluar",
    "vi": "hủy|huy|tc",
    "ar": "قف|توقف|إيقاف|ايقاف|إلغاء|الغاء",
    "he": "הסר|הסירו|עצור|הפסק",
    "hi": "रोकें|बंद|बंद करो",
    "th": "หยุด|ยกเลิก",
    "zh": "停|停止|取消|T|TD",
    "ja": "停止|解除|中止|ストップ",
    "ko": "중지|그만|취소|스톱",
}

# Anywhere, in scripts that put no space between words or where the word has no other sense.
UNSPACED = {
    "ar": "إلغاء الاشتراك|الغاء الاشتراك",
    "he": "הסר אותי|הסירו אותי",
    "hi": "सदस्यता समाप्त",
    "zh": "退订|退訂|取消订阅|取消訂閱",
    "ja": "配信停止|配信解除|購読解除",
    "ko": "수신거부|수신 거부",
    "th": "ยกเลิกการรับ",
}

# Anywhere in a text, as whole words.
PHRASES = {
    "en": "unsubscribe|opt out|opt me out|remove me|remove my number|take me off|stop texting|stop messaging|stop sending|"
    "stop contacting|stop these|don't text|do not text|don't message|do not message|don't contact|do not contact|"
    "never text|never message|never contact|no texts|no text messages|no messages please|"
    "delete my number|no more texts|no more messages|leave me alone|stop spamming",
    "fr": "désabonnez moi|me désabonner|désinscrivez moi|me désinscrire|ne plus recevoir|arrêtez de",
    "es": "no quiero más|deja de|dejad de|darme de baja|dar de baja|no me escriban|no más mensajes|dejen de|no quiero recibir",
    "pt": "não me mande|parem de|não quero receber|me descadastre",
    "de": "hör auf|hören sie auf|keine werbung|keine weiteren|"
    "keine sms mehr|keine nachrichten mehr|bitte abmelden|mich abmelden|nicht mehr schreiben|bitte löschen sie",
    "it": "non scrivetemi|non voglio più|toglietemi|cancellatemi",
    "nl": "geen sms meer|geen berichten meer|uitschrijven|afmelden",
    "pl": "proszę nie pisać|nie chcę otrzymywać|usuńcie mnie",
    "ru": "не пишите|не присылайте|удалите мой номер",
    "tr": "mesaj atmayın|mesaj göndermeyin",
}

# Before a phrase these reverse its meaning: "do not unsubscribe me".
NEGATIONS = {"en": "don't|dont|never|not|won't|wont", "fr": "pas", "es": "no", "de": "nicht", "it": "non"}

# Our own instruction, sent back or quoted.
QUOTED = {
    "en": "reply stop to opt out|reply stop to unsubscribe|reply stop to end|reply stop to cancel|reply stop to stop|"
    "text stop to opt out|text stop to end|text stop to unsubscribe|send stop to opt out|txt stop to opt out|to opt out reply stop|"
    "to unsubscribe reply stop|to stop reply stop|to opt out text stop|reply stop|text stop|send stop|txt stop",
    "fr": "envoyez stop|envoyez stop au|répondez stop|stop au 36xxx",
    "es": "responda stop|envíe stop|responda baja|envíe baja",
    "de": "antworten sie mit stop|mit stop antworten|antworte mit stop",
}

# What "stop" may be about without asking for anything else: "stop all messages". Around a weaker word a person should look at it.
OBJECTS = {
    "en": "now|just|sms|texts|texting|messages|messaging|sending|me|immediately|the|these|this|all|it|everything",
    "de": "sofort",
    "es": "ya",
    "fr": "sms",
}

# Around any word these change nothing: "please stop", "STOP thanks".
COURTESIES = {
    "en": "yes|yeah|no|please|pls|plz|thanks|thank|you|thx|ty|hi|hello|ok|okay",
    "fr": "svp|merci|bonjour|s'il|vous|plaît",
    "es": "por|favor|gracias|hola",
    "pt": "obrigado|obrigada",
    "de": "bitte|danke|hallo",
    "it": "per|favore|grazie|prego",
    "nl": "alstublieft|aub|bedankt|graag",
    "sv": "tack|snälla",
    "pl": "proszę|dziękuję",
    "ru": "пожалуйста|спасибо",
    "tr": "lütfen|teşekkürler",
}

START = {
    "en": "start|unstop|un stop|subscribe|resubscribe|optin|opt in|opt me in|resume|opt back in",
    "fr": "commencer|reprendre|réabonner|m'abonner",
    "es": "alta|iniciar|comenzar|empezar|suscribir",
    "pt": "iniciar|começar|voltar",
    "de": "starten|anmelden",
    "it": "inizia|iscrivimi|riprendi",
    "nl": "aanmelden|begin",
    "sv": "starta|börja",
    "da": "tilmeld",
    "no": "påmeld",
    "fi": "aloita|tilaa",
    "pl": "zacznij|wznów",
    "tr": "başla|başlat",
    "el": "έναρξη",
    "ru": "старт|начать|подписаться",
    "uk": "почати|підписатися",
    "cy": "dechrau",
    "ar": "ابدأ|بدء|اشتراك",
    "he": "התחל|הצטרף",
    "zh": "开始|開始|订阅",
    "ja": "再開",
    "ko": "시작",
}

HELP = {
    "en": "help|info|help me|information|who is this|who are you",
    "fr": "aide|aidez moi",
    "es": "ayuda|informacion",
    "pt": "ajuda",
    "de": "hilfe",
    "it": "aiuto",
    "nl": "hulp",
    "sv": "hjälp",
    "da": "hjælp",
    "no": "hjelp",
    "fi": "apua|ohje",
    "pl": "pomoc",
    "cs": "pomoc",
    "ro": "ajutor",
    "hu": "segítség",
    "tr": "yardım",
    "el": "βοήθεια",
    "ru": "помощь|помогите",
    "uk": "допомога",
    "cy": "cymorth|help",
    "id": "bantuan",
    "vi": "trợ giúp",
    "ar": "مساعدة",
    "he": "עזרה",
    "hi": "मदद|सहायता",
    "th": "ช่วยเหลือ",
    "zh": "帮助|幫助",
    "ja": "ヘルプ",
    "ko": "도움말|도움",
}
