"""regui's settings: each knob on one line, read by `env`, described in docs/configuration.md."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs
from csp.constants import NONE, SELF

from regui import bind, database, directories, mapping, outlets, patterns, proxies, registries
from regui.env import env, refuse
from regui.keys import earlier, secret_key
from regui.paths import resource

# The knobs

DATA = Path(env.text("REGUI_DATA", platformdirs.user_data_dir("regui"))).expanduser().absolute()
URL = env.url("REGUI_URL")
HSTS = env.duration("REGUI_HSTS", "365d")
EVENTS_URL = env.url("REGUI_EVENTS_URL")
AUDIT_KEEP = env.duration("REGUI_AUDIT_KEEP", default="365d")
BIND = env.parsed("REGUI_BIND", bind.Bind("127.0.0.1", 8000), bind.parse)
BASE_PATH = env.path("REGUI_BASE_PATH")
ANONYMOUS_ROLE = env.choice("REGUI_ANONYMOUS_ROLE", ("none", "reader", "admin")) or "none"
ALLOW_LINK_LOCAL = env.flag("REGUI_ALLOW_LINK_LOCAL", default=False)
REGISTRIES = registries.from_env(env)
DATABASE = env.secret_parsed("REGUI_DATABASE_URL", database.sqlite(DATA / "regui.sqlite3"), database.parse)
EVENTS_KEEP = env.duration("REGUI_EVENTS_KEEP", default="30d")
SECRET_KEY = env.secret("REGUI_SECRET_KEY") or secret_key(DATA / "secret-key")
SECRET_KEY_FALLBACKS = env.secret_parsed("REGUI_SECRET_KEY_OLD", list[str](), earlier)
SNAPSHOTS_KEEP = env.duration("REGUI_SNAPSHOTS_KEEP", default="730d")
DELETE_GRACE = env.duration("REGUI_DELETE_GRACE", "10s")
PROTECTED_TAGS = env.parsed("REGUI_PROTECTED_TAGS", patterns.NONE, patterns.parse)
RUNS_KEEP = env.duration("REGUI_RUNS_KEEP", default="365d")
STALE_AFTER = env.duration("REGUI_STALE_AFTER", "1m")
SYNC_EVERY = env.duration("REGUI_SYNC_EVERY", "5m")
SYNC_CONCURRENCY = env.number("REGUI_SYNC_CONCURRENCY", 6, 1, 64)
SYNC_RATE = env.number("REGUI_SYNC_RATE", 0, 0, 100_000)
SYNC_SHARE = env.share("REGUI_SYNC_SHARE", "10%")
TRASH_DAYS = env.number("REGUI_TRASH_DAYS", 90, 0, 36_500)
TASKS_ENGINE = env.choice("REGUI_TASKS", ("database", "rq")) or "database"
CLEANUP_MAIL = outlets.mail(env)
CLEANUP_HOOK = outlets.hook(env)
REDIS_URL = env.secret("REGUI_REDIS_URL")
PROXIES = proxies.from_env(env)
OIDC = directories.oidc(env)
LDAP = directories.ldap(env)
ADMIN_GROUPS = mapping.names(env.text("REGUI_ADMIN_GROUPS"))
LOCAL_SIGN_IN = env.flag("REGUI_LOCAL_SIGN_IN", default=True)
SESSION_AGE = env.duration("REGUI_SESSION_AGE", "14d")
ADMIN_USERNAME = env.text("REGUI_ADMIN_USERNAME")
ADMIN_PASSWORD = env.secret("REGUI_ADMIN_PASSWORD")
TOKEN = env.secret("REGUI_TOKEN").strip()
TOKEN_MAX_AGE = env.duration("REGUI_TOKEN_MAX_AGE", "0")

# What follows from them

DEBUG = False
public = urlsplit(URL)
for knob, url in {"REGUI_URL": URL, "REGUI_EVENTS_URL": EVENTS_URL}.items():
    if urlsplit(url).path.strip("/") not in {"", BASE_PATH}:
        raise refuse(knob, "its path must be that of REGUI_BASE_PATH")
# A page elsewhere whose name is made to resolve to us must not pass for ours. Any name will do only when
# others can connect and nobody said by which.
LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
if URL:
    ALLOWED_HOSTS = [
        f"[{public.hostname}]" if ":" in str(public.hostname) else str(public.hostname),
        *LOOPBACK_HOSTS,
    ]
else:
    ALLOWED_HOSTS = LOOPBACK_HOSTS if BIND.loopback else ["*"]
CSRF_TRUSTED_ORIGINS = [f"{public.scheme}://{public.netloc}"] if URL else []
FORCE_SCRIPT_NAME = f"/{BASE_PATH}" if BASE_PATH else None
SECURE = URL.startswith("https://")
if not SESSION_AGE:
    raise refuse("REGUI_SESSION_AGE", "nobody could stay signed in")
if bool(ADMIN_USERNAME) != bool(ADMIN_PASSWORD):
    raise refuse("REGUI_ADMIN_USERNAME", "goes with REGUI_ADMIN_PASSWORD; set both of them or neither")

if not (LOCAL_SIGN_IN or OIDC or LDAP or PROXIES.user_header):
    raise refuse("REGUI_LOCAL_SIGN_IN", "must be on where there is no other way to sign in")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "csp",
    "django_htmx",
    "template_partials.apps.SimpleAppConfig",
    "django_tasks",
    "django_tasks_db",
    "regui.index",
    "regui.accounts",
    "regui.actions",
    "regui.web",
    "regui",
]
MIDDLEWARE = [
    "regui.accounts.forwarded.forwarded",
    "regui.api.health.probes",
    "regui.api.events.hooks",
    "regui.web.strict.strict",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "regui.api.door.shape",
    "regui.web.errors.hosts",
    "regui.web.http.private",
    "regui.accounts.cookies.Sessions",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "regui.accounts.ways.ends",
    "regui.accounts.forwarded.person",
    "regui.accounts.visitors.visitor",
    "regui.api.door.door",
    "regui.web.sizes.sizes",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "regui.accounts.sessions.noticed",
    "django_htmx.middleware.HtmxMiddleware",
    "regui.web.htmx.vary",
    "regui.web.errors.errors",
]
ROOT_URLCONF = "regui.urls"
WSGI_APPLICATION = "regui.wsgi.application"
TEMPLATE_LOADER = ("django.template.loaders.cached.Loader", ["django.template.loaders.filesystem.Loader"])
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [resource("templates")],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "regui.web.context.page",
            ],
            "loaders": [("template_partials.loader.Loader", [TEMPLATE_LOADER])],
            "builtins": ["template_partials.templatetags.partials", "regui.web.templatetags.regui"],
        },
    },
]

DATABASES = {"default": DATABASE}
TASKS: dict[str, dict[str, object]] = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
if TASKS_ENGINE == "rq":
    if not REDIS_URL:
        raise refuse("REGUI_REDIS_URL", "must say where Redis is when REGUI_TASKS is rq")
    INSTALLED_APPS.append("django_rq")
    TASKS = {"default": {"BACKEND": "django_tasks_rq.RQBackend", "QUEUES": ["default"]}}
    RQ_QUEUES = {"default": {"URL": REDIS_URL}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["regui.accounts.passwords.Passwords"]
if LDAP:
    # Behind our own people, who come in whether a directory answers or not.
    AUTHENTICATION_BACKENDS.append("regui.accounts.ldap.Directory")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# How long a link to set a password is good.
PASSWORD_RESET_TIMEOUT = int(timedelta(days=3).total_seconds())
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "regui.accounts.adapter.Adapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_REAUTHENTICATION_METHODS = ("password", "mfa")
# Names that the journal has other uses for.
ACCOUNT_USERNAME_BLACKLIST = ["anonymous", "regui", "settings", "unknown"]
# Always: who wants it to end signs out.
ACCOUNT_SESSION_REMEMBER = True
MFA_ADAPTER = "regui.accounts.adapter.Factors"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {"activate_totp": "regui.accounts.forms.ActivateTOTP"}
# Nobody's address is verified here: there may be no mail server.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_RECOVERY_CODES_SHOW_ONCE = True
# One code before and after: telephones' clocks are not always right.
MFA_TOTP_TOLERANCE = 1
MFA_TOTP_ISSUER = "regui"
# A sign-in takes two requests.
MFA_RATE_LIMITS = {"webauthn_login": "20/m/ip"}
SESSION_COOKIE_NAME = "regui_session"
SESSION_COOKIE_PATH = FORCE_SCRIPT_NAME or "/"
SESSION_COOKIE_AGE = int(SESSION_AGE.total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = SECURE

# Who was wrong about a secret how often: see `accounts.limits`. Of more addresses the oldest are forgotten.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}
# Bytes and fields of a form, which `web.sizes` holds it to, or of what a program sends. Hooks have their own.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 0

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

# Written out: Django would put the sub-path before a relative one only while it answers a request.
STATIC_URL = f"/{BASE_PATH}/static/" if BASE_PATH else "/static/"
STATIC_ROOT = DATA / "static"
STATICFILES_DIRS = [resource("static")]
# Only our own files: in a wheel they lie inside the package, where the other finder would find them again.
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
STORAGES = {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}

MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
# A name of its own: another site on the same host may be of the same make.
CSRF_COOKIE_NAME = "regui_csrftoken"
CSRF_COOKIE_PATH = SESSION_COOKIE_PATH
CSRF_COOKIE_SECURE = SECURE
CSRF_FAILURE_VIEW = "regui.web.errors.csrf"
CSRF_COOKIE_HTTPONLY = True
# What `strict` sends. It isn't regui's to promise anything for other names below ours, so the checks that ask
# for that stay silent. So does the one for redirects to https: those are the proxy's, for regui itself speaks
# no TLS, and registries and probes reach it without.
SECURE_HSTS_SECONDS = int(HSTS.total_seconds()) if SECURE else 0
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021", "security.W008"] if SECURE else []
SECURE_REFERRER_POLICY = "same-origin"
# Browsers heed it where they trust the origin, and complain on the console of every other page.
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin" if SECURE or (BIND.loopback and not URL) else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        # Browsers hold a form against it all the way that its answer leads, to the provider, too.
        "form-action": [SELF, *(OIDC.origins if OIDC else ())],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "regui": {"level": "INFO"},
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        # However much the others say: it would write addresses, which open a storage to whoever has them.
        "urllib3": {"level": "INFO"},
        # It would write all that a page is made of, secrets that are shown once too, where a name is missing.
        "django.template": {"level": "INFO"},
    },
}
