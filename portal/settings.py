"""Settings, in one file. Every variable is listed in `.env.example`; wrong values stop the start with a sentence.

Without any variable this is the embedded installation: SQLite and generated keys under `var/`. With `DATABASE_URL=postgres://…` it is
production, and keys must be given.
"""

import secrets
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from cryptography.fernet import Fernet
from whitenoise.compress import Compressor

from portal import database, kept_keys, private_files, server_urls, storage_url, telemetry_variables
from portal.env import WrongVariable, env_bool, env_choice, env_int, env_list, env_parsed, env_str, env_url
from portal.languages import LANGUAGES
from portal.logs import logging_config
from portal.sso import settings as sso

_checkout = Path(__file__).resolve().parent.parent
# as a package, which has templates, static files and documents inside
INSTALLED = not (_checkout / "manage.py").exists()
BASE_DIR, WORK_DIR = (_checkout / "portal" / "bundled", Path.cwd()) if INSTALLED else (_checkout, _checkout)
COMMAND = (
    [sys.executable, "-P", "-m", "portal"] if INSTALLED else [sys.executable, str(BASE_DIR / "manage.py")]
)
VAR_DIR = Path(env_str("VAR_DIR", str(WORK_DIR / "var"))).resolve()

# a folder, or what Django makes a storage in a bucket of
_archives = env_parsed("STORAGE_URL", "", storage_url.parse, should=storage_url.SHOULD)
ARCHIVE_DIR = Path(env_str("ARCHIVE_DIR", str(VAR_DIR / "archive"))).resolve()
if isinstance(_archives, Path):
    if env_str("ARCHIVE_DIR"):
        raise WrongVariable("STORAGE_URL is a folder, and ARCHIVE_DIR is set as well. Keep one of them.")
    ARCHIVE_DIR = _archives.resolve()
# whether a standby that is promoted had every commit, so that a new timeline of PostgreSQL is no restored copy
SYNCHRONOUS_STANDBY = env_bool("SYNCHRONOUS_STANDBY", False)
STOP_FILE = VAR_DIR / "stopping"  # while it exists, dispatch finishes what is in flight and takes nothing new

DEBUG = env_bool("DEBUG", False)
PUBLIC_URL = env_url("PUBLIC_URL", "http://127.0.0.1:8000")
PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname or "127.0.0.1"
HTTPS = PUBLIC_URL.startswith("https://")
LOG_FORMAT = env_choice("LOG_FORMAT", "console", choices=("console", "json"))
LOG_LEVEL = env_choice("LOG_LEVEL", "debug" if DEBUG else "info", choices=("info", "debug"))
ACCESS_LOG = env_bool("ACCESS_LOG", False)

# --- Database -----------------------------------------------------------------------------------------------------------
SQLITE_URL = f"sqlite:///{VAR_DIR / 'textdesk.sqlite3'}"
_default = env_parsed(
    "DATABASE_URL",
    SQLITE_URL,
    server_urls.database,
    should="like postgres://user:password@host:5432/name or sqlite:////folder/file",
)
EMBEDDED = _default["ENGINE"] == "django.db.backends.sqlite3"
if INSTALLED and not env_str("DATABASE_URL"):
    database.must_be_there(Path(str(_default["NAME"])), sys.argv)
_default = {"CONN_MAX_AGE": 60, **_default, "CONN_HEALTH_CHECKS": True}
DATABASE_SESSION: dict[str, str] = {}  # what DATABASE_URL says of sessions, see `sms.models.sql.limits`
if DEBUG and (HTTPS or not EMBEDDED):
    why = "PUBLIC_URL is https" if HTTPS else "DATABASE_URL is PostgreSQL"
    raise WrongVariable(
        f"DEBUG is true, and {why}: an error page would show strangers what is in memory. "
        "Unset DEBUG; LOG_LEVEL=debug says more in the log."
    )
# On a desk that the world reaches, a request for “localhost” is not meant for it. `/healthz`, `/readyz` and `/metrics` take any name.
_here = ["127.0.0.1", "localhost", "[::1]"]
_is_local = PUBLIC_HOST in ("127.0.0.1", "localhost", "::1") or (EMBEDDED and not HTTPS)
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS") or [PUBLIC_HOST, *(_here if _is_local else [])]
private_files.keep(VAR_DIR)
if EMBEDDED:
    private_files.keep_database(Path(str(_default["NAME"])))
    _default["OPTIONS"] = database.EMBEDDED
else:
    _default["DISABLE_SERVER_SIDE_CURSORS"] = True  # works behind PgBouncer in transaction mode too
    _given = dict(_default.get("OPTIONS", {}))  # type: ignore[call-overload]
    _default["OPTIONS"], DATABASE_SESSION = database.with_defaults(_given, sys.argv)
DATABASES = {"default": _default}
if env_str("DATABASE_REPLICA_URL"):
    DATABASES["replica"] = database.replica_of(_default)
    DATABASE_ROUTERS = ["sms.models.sql.replica.ReplicaRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Keys ---------------------------------------------------------------------------------------------------------------
SECRET_KEY = env_str("SECRET_KEY")
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")
FIELD_KEYS = env_list("FIELD_KEYS")
AUDIT_KEYS = env_list("AUDIT_KEYS")
if not EMBEDDED and not (SECRET_KEY and FIELD_KEYS and AUDIT_KEYS):
    raise WrongVariable(
        "SECRET_KEY, FIELD_KEYS and AUDIT_KEYS must be set when DATABASE_URL is PostgreSQL, so that every host has the same ones. "
        "`python -m portal.keys` prints fresh ones."
    )
SECRET_KEY = SECRET_KEY or kept_keys.kept(VAR_DIR / "secret_key", lambda: secrets.token_urlsafe(64))
FIELD_KEYS = FIELD_KEYS or [kept_keys.kept(VAR_DIR / "field_key", lambda: Fernet.generate_key().decode())]
AUDIT_KEYS = AUDIT_KEYS or [kept_keys.audit_key(VAR_DIR, lambda: secrets.token_urlsafe(48))]
for _name, _key in (
    ("SECRET_KEY", SECRET_KEY),
    *(("SECRET_KEY_FALLBACKS", key) for key in SECRET_KEY_FALLBACKS),
):
    if len(_key) < 50:
        holds = "has" if _name == "SECRET_KEY" else "holds a key of"
        raise WrongVariable(
            f"{_name} {holds} {len(_key)} characters; it should be a random text of at least 50."
        )
for _key in FIELD_KEYS:
    try:
        Fernet(_key)
    except ValueError:
        raise WrongVariable(
            "FIELD_KEYS holds a key that is not a Fernet key; it should be one or more of them (44 characters each), newest first."
        ) from None
for _key in AUDIT_KEYS:
    if len(_key) < 40:
        raise WrongVariable(
            f"AUDIT_KEYS holds a key of {len(_key)} characters; each should be a random text of at least 40, newest first."
        )

# --- Applications -------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "portal",  # before django_q, whose qcluster command it extends
    "django_q",  # before sms, whose admin takes its pages away
    "sms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]
MIDDLEWARE = [
    "portal.request_ids.RequestIds",
    "portal.tracing.RequestSpans",
    "portal.request_meters.RequestMeters",
    "portal.access_log.AccessLog",
    "portal.machines.MachinesFirst",
    "portal.middleware.CallersAddress",
    "portal.middleware.WatchedGuards",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.middleware.SecurityHeaders",
    "portal.compressed_pages.CompressedPages",
    "portal.odd_requests.OddRequests",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.languages.ReadersLanguage",
    "portal.session_ends.SessionEnds",
    "portal.signing_in_first.SigningInFirst",
    "portal.costly_pages.CostlyPages",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.factor_gate.SecondFactorGate",
    "portal.middleware.ViewersZone",
    "portal.middleware.NotAllowedPages",
]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.viewer",
            ],
            "builtins": ["portal.templatetags.numbers_and_states", "django.templatetags.static"],
        },
    }
]

# --- Static files -------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
if isinstance(_archives, dict):
    STORAGES["archives"] = _archives
# browsers ask for maps only where somebody debugs scripts of other packages, and compressing them is half of the work at every start
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = [*Compressor.SKIP_COMPRESS_EXTENSIONS, "map"]

# --- People -------------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "portal.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [  # the first makes new ones; what the second made is made anew at the next sign-in
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "portal.password_words.WordsOfThisDesk"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "services"
ACCOUNT_ADAPTER = "portal.adapter.ClosedSignup"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # nobody can have us write to an address that is no person's here
MFA_ADAPTER = "portal.adapter.SealedFactors"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Textdesk"
SOCIALACCOUNT_ADAPTER = "portal.sso.adapter.InvitedOnly"
SOCIALACCOUNT_STORE_TOKENS = False
OIDC_ISSUER = env_url("OIDC_ISSUER")
OIDC_CLIENT_ID = env_str("OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = env_str("OIDC_CLIENT_SECRET")
OIDC_ROLE_CLAIM = env_str("OIDC_ROLE_CLAIM", "groups")
OIDC_ACR_VALUES = env_list("OIDC_ACR_VALUES")
OIDC_KEEPS_PASSWORD = env_bool("OIDC_KEEPS_PASSWORD", True)
sso.checked(OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, debug=DEBUG)
SOCIALACCOUNT_PROVIDERS = sso.providers(OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET)
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # people are invited by an admin, there is no sign-up
# passwords and codes are counted by portal.sign_in_limits
ACCOUNT_RATE_LIMITS = {
    "login": None,
    "login_failed": None,
    "single_sign_on": "30/m/ip",
    "reset_password": "20/m/ip,3/h/key",
    "change_password": "5/m/user,20/d/user",
}
ALLAUTH_RATE_LIMIT_IPV6_PREFIX = 48
_FORMS = ("login", "change_password", "reset_password", "reset_password_from_key", "reauthenticate")
ACCOUNT_FORMS = {one: f"portal.forms.account.{one.title().replace('_', '')}Form" for one in _FORMS}
MFA_FORMS = {
    "authenticate": "portal.forms.second_factor.CountedSignInCode",
    "reauthenticate": "portal.forms.second_factor.CountedConfirmingCode",
    "activate_totp": "portal.forms.second_factor.CountedFirstCode",
    "authenticate_webauthn": "portal.forms.passkeys.PasskeyAsSecondFactor",
    "login_webauthn": "portal.forms.passkeys.PasskeyAlone",
    "reauthenticate_webauthn": "portal.forms.passkeys.PasskeyAgain",
    "add_webauthn": "portal.forms.passkeys.NewPasskey",
    "edit_webauthn": "portal.forms.passkeys.PasskeyName",
}
EMAIL_CONFIG = env_parsed(
    "EMAIL_URL",
    "consolemail://",
    environ.Env.email_url_config,
    should="like smtp+tls://user:password@host:587",
)
vars().update({"EMAIL_TIMEOUT": 10} | EMAIL_CONFIG)  # seconds; Django waits for ever
DEFAULT_FROM_EMAIL = env_str("EMAIL_FROM", f"textdesk@{PUBLIC_HOST}")


# --- Cache: used codes and tries at sign-in, shared by all processes and never culled ------------------------------------------
REDIS_URL = env_str("REDIS_URL")
CACHES = {
    "default": env_parsed(
        "REDIS_URL", "", server_urls.redis, should="like redis://host:6379/0, or rediss:// with TLS"
    )
    if REDIS_URL
    else {"BACKEND": "portal.kept_cache.KeptCache", "LOCATION": "cache_table"}
}

# --- django-q2: wake-ups only, see docs/decisions/0002 -----------------------------------------------------------------
Q_CLUSTER: dict[str, Any] = {
    "name": "textdesk",
    "workers": 3,
    "queue_limit": 3,
    "timeout": 240,  # longest task: a tick that dispatches for 20 s, looks ahead 95 s, dispatches again; each drains up to 27 s
    "retry": 600,  # must outlast queue_limit tasks at their longest, or a waiting task starts twice
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": -1,
    "catch_up": False,
    "poll": 0.5,
    "label": "Queue",
}
if REDIS_URL:
    Q_CLUSTER |= {"broker_class": "sms.worker.redis_queue.RedisQueue", "redis": CACHES["default"]["LOCATION"]}
else:
    Q_CLUSTER["orm"] = "default"

# --- API ----------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}

BEHIND_PROXY = env_bool("BEHIND_PROXY", False)  # then X-Forwarded-For says who calls
METRICS_TOKEN = env_str("METRICS_TOKEN")  # opens /metrics and /status to other machines
OPERATIONS_MAIL_TO = env_list("OPERATIONS_MAIL_TO")
OPERATIONS_WEBHOOK = env_str("OPERATIONS_WEBHOOK")
if OPERATIONS_WEBHOOK and not OPERATIONS_WEBHOOK.startswith(("https://", "http://")):
    raise WrongVariable("OPERATIONS_WEBHOOK should be an address that begins with https:// or http://.")
TRACES = telemetry_variables.traces()
SENTRY = telemetry_variables.sentry()
# places beside the log stream, see sms.compliance.audit.elsewhere
AUDIT_CHECKPOINTS_TO = env_list("AUDIT_CHECKPOINTS_TO")
SPECTACULAR_SETTINGS = {
    "TITLE": "Textdesk",
    "DESCRIPTION": "Send SMS and follow them. Send your API key in the header `key`, or as `Authorization: Bearer`.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "DEFAULT_GENERATOR_CLASS": "sms.api.v1.documents.PartnersDocument",
    "POSTPROCESSING_HOOKS": [],
    "COMPONENT_SPLIT_PATCH": False,  # a change has a body of its own
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "TAGS": [  # in the order in which a reader needs them
        {"name": "sends", "description": "Make, plan, put off, pause and stop sends"},
        {"name": "messages", "description": "The outcome of each message"},
        {"name": "audiences", "description": "Recipients that are used again"},
        {"name": "reports", "description": "Figures by send and by day"},
        {"name": "callback-endpoints", "description": "Where events are delivered"},
        {"name": "callbacks", "description": "What was delivered, and delivering it again"},
        {"name": "opt-outs", "description": "People who refuse further messages"},
        {"name": "templates"},
        {"name": "senders"},
        {"name": "policy-groups"},
        {"name": "domains"},
    ],
}

# --- Callbacks to partners ----------------------------------------------------------------------------------------------
CALLBACKS: dict[str, Any] = {  # arguments of sms.callbacks.AddressPolicy
    "loopback": env_bool("CALLBACKS_TO_LOOPBACK", False),
    "own_hosts": frozenset({PUBLIC_HOST.lower()}),
}

# --- Limits ---------------------------------------------------------------------------------------------------------------
UPLOAD_MAX_BYTES = env_int("UPLOAD_MAX_BYTES", 10_000_000, low=1024)
UPLOAD_MAX_ROWS = env_int("UPLOAD_MAX_ROWS", 100_000, low=1)
DATA_UPLOAD_MAX_MEMORY_SIZE = UPLOAD_MAX_BYTES + 1_000_000
FILE_UPLOAD_MAX_MEMORY_SIZE = UPLOAD_MAX_BYTES

# --- Language and time ----------------------------------------------------------------------------------------------------
LANGUAGE_CODE = LANGUAGES[0][0]
LOCALE_PATHS = [Path(__file__).resolve().parent / "locale"]
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "portal.formats"

# --- Security -------------------------------------------------------------------------------------------------------------
SECURE_CSP = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "connect-src": ["'self'"],
    "font-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}
# nosniff, no frames, referrers and openers of the same origin, HttpOnly and Lax are what Django does by itself
SESSION_ENGINE = "portal.sessions"
SESSION_COOKIE_AGE = 12 * 3600  # seconds after which everybody signs in again
SESSION_IDLE_MINUTES = env_int("SESSION_IDLE_MINUTES", 120, low=5, high=12 * 60)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS else "csrftoken"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
if HTTPS:
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None

LOGGING_CONFIG = None
LOGGING = logging_config(LOG_FORMAT, debug=LOG_LEVEL == "debug")
