"""Every setting of Hengke, read from the environment (docs/settings.md lists the variables).

With nothing configured the product runs embedded: SQLite, background jobs without a broker, plain HTTP on this
machine. With DATABASE_URL and REDIS_URL it runs on PostgreSQL, Redis and Celery, behind HTTPS.
"""

from pathlib import Path

from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from crm import environment as read

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = read.folder("HENGKE_DATA_DIR", default=BASE_DIR / "var")

DATABASE_URL = read.url("DATABASE_URL", ("postgres", "postgresql", "sqlite"), "postgres://user:password@host:5432/name")
REDIS_URL = read.url("REDIS_URL", ("redis", "rediss"), "redis://host:6379/0")
IS_EMBEDDED = not DATABASE_URL

DEBUG = read.boolean("DEBUG", default=False)
SERVES_SOURCES = IS_EMBEDDED or DEBUG  # static files where they lie; else collected, with hashes in their names
HTTPS = read.boolean("HTTPS", default=not IS_EMBEDDED)
SECRET_KEY = read.secret_key("SECRET_KEY", keep_in=VAR_DIR / "secret_key" if IS_EMBEDDED else None)
ALLOWED_HOSTS = read.hosts("ALLOWED_HOSTS", default=("127.0.0.1", "localhost", "[::1]"))
CSRF_TRUSTED_ORIGINS = read.origins("CSRF_TRUSTED_ORIGINS")

# --- the company's calendar
FISCAL_YEAR_START_MONTH = read.month("FISCAL_YEAR_START_MONTH", default=1)
TIME_ZONE = read.time_zone("TIME_ZONE", default="Asia/Shanghai")
USE_TZ = True

# --- what the product is made of
INSTALLED_APPS = [
    "grading",
    "crm",
    "crm.administration.config.Administration",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "crm.middleware.LanguageOfUser",
    "crm.middleware.SessionInUse",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "crm.middleware.SecondFactorFirst",
    "crm.middleware.CountAgain",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "crm.urls"
WSGI_APPLICATION = "crm.wsgi.application"

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
                "crm.context.frame",
            ],
            "builtins": ["crm.templatetags.icons"],
        },
    }
]

# Names of what higher apps contribute to lower ones: no import upwards.
CUSTOMER_PANELS = ["grading.panels.grades_of_customer"]
CUSTOMER_EVENTS = ["grading.events.grades_of_customer"]
AS_OF_PANELS = ["grading.panels.grades_as_of"]
HOME_PANELS = ["grading.panels.grades_at_a_glance"]
NAVIGATION = ["crm.navigation.entries", "grading.navigation.entries", "crm.navigation.closing_entries"]
CARRIED = ["crm.carried.work", "grading.carried.assessments", "crm.carried.access"]
IMPORT_KINDS = ["crm.imports.KINDS", "grading.imports.KINDS"]
# The lists whose rows can be changed in bulk.
BULK_KINDS = ["crm.customer_bulk.KINDS"]
# What “Why can this person see this?” can be asked about.
SIGHT_KINDS = ["crm.sight.KINDS", "crm.sight_of_places.KINDS", "grading.sight.KINDS"]
# What follows from other records by itself: it does not hold up the undo of an import.
DERIVED_RECORDS = ["crm.Change", "crm.CustomerRegion", "crm.CustomerMerge", "crm.DifferentCustomers", "grading.Grade"]
# What else goes over when two customers are merged.
MERGE_STEPS = ["grading.merging.STEP"]
FACTS_CHANGED_TASK = "grading.tasks.regrade_changed_facts"
LISTS = [
    "crm.lists.LISTS",
    "crm.people_lists.LISTS",
    "crm.place_lists.LISTS",
    "crm.conflict_lists.LISTS",
    "crm.work_lists.LISTS",
    "crm.change_lists.LISTS",
    "grading.lists.LISTS",
    "grading.cycle_lists.LISTS",
]
RECORD_KINDS = ["crm.records.KINDS", "grading.records.KINDS"]
API_ROUTES = ["crm.api.views.ROUTES", "grading.api.views.ROUTES"]
JOB_TASKS = {
    "bulk-change": "crm.tasks.work_on_bulk_change",
    "export": "crm.tasks.make_export",
    "grade-year": "grading.tasks.grade_year",
    "import": "crm.tasks.work_on_import",
    "undo-import": "crm.tasks.undo_import",
}

# --- database
if DATABASE_URL:
    DATABASES = {"default": read.env.db_url_config(DATABASE_URL)}
else:
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": VAR_DIR / "hengke.sqlite3"}}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A write transaction takes its lock at BEGIN and waits for it, so that none fails half way with "locked".
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;",
    }
else:
    DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "hengke"}
}

# --- background jobs: Celery carries the nudge, crm.Job holds the truth
CELERY_BROKER_URL = REDIS_URL or "memory://localhost/"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = TIME_ZONE
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600} if REDIS_URL else {"polling_interval": 0.05}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
# Beat only nudges. Each of these asks the database what is due, so that running twice or being down does no harm.
CELERY_BEAT_SCHEDULE = {
    "reconcile-jobs": {"task": "crm.tasks.reconcile_jobs", "schedule": 20.0},
    "forget-old-exports": {"task": "crm.tasks.forget_old_exports", "schedule": crontab(minute=40)},
    "forget-old-sign-ins": {"task": "crm.tasks.forget_old_sign_ins", "schedule": crontab(hour=3, minute=20)},
    "forget-old-answers": {"task": "crm.tasks.forget_old_answers", "schedule": crontab(hour=3, minute=10)},
    "move-due-branches": {"task": "crm.tasks.move_due_branches", "schedule": crontab(minute=5)},
    "regrade-changed-facts": {"task": "grading.tasks.regrade_changed_facts", "schedule": 300.0},
    "grading-do-what-is-due": {"task": "grading.tasks.do_what_is_due", "schedule": crontab(minute="*/10")},
}
JOB_HEARTBEAT_SECONDS = 60

# --- people
AUTH_USER_MODEL = "crm.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "name", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "crm.passwords.NotUsedBefore"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "crm:home"
ACCOUNT_ADAPTER = "crm.accounts.ClosedSignUp"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
# Tries that fail: of an address, and of an account, whose right password opens nothing meanwhile either.
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key"}
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900  # seconds for which one need not confirm again who one is
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # strangers get no mail from here
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_FORMS = {"user_token": "crm.account_forms.ResetLink"}
ALLAUTH_TRUSTED_PROXY_COUNT = read.count("PROXIES_IN_FRONT", default=0)  # whose X-Forwarded-For names the client
MFA_ADAPTER = "crm.accounts.SecondFactors"
MFA_FORMS = {"authenticate": "crm.account_forms.SignInCode", "reauthenticate": "crm.account_forms.ConfirmingCode"}
MFA_TOTP_ISSUER = "Hengke"
MFA_TOTP_TOLERANCE = 1  # a code typed at the end of its half minute still counts
MFA_RECOVERY_CODES_SHOW_ONCE = True
# Whoever has one of these roles works with a second factor or not at all; crm.apps looks whether the roles exist.
MFA_REQUIRED_ROLES = read.words("MFA_REQUIRED_ROLES")
# The company's own sign-in: only what is set here exists at all.
COMPANY_SIGN_IN = {
    "oidc": read.together("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET")
    and {
        "issuer": read.issuer("OIDC_ISSUER"),
        "client_id": read.text("OIDC_CLIENT_ID"),
        "client_secret": read.text("OIDC_CLIENT_SECRET"),
        "name": read.text("OIDC_NAME"),
        "id_claim": read.text("OIDC_ID_CLAIM", default="sub"),
    },
    "wecom": read.together("WECOM_CORP_ID", "WECOM_AGENT_ID", "WECOM_SECRET"),
    "dingtalk": read.together("DINGTALK_CLIENT_ID", "DINGTALK_CLIENT_SECRET"),
    "feishu": read.together("FEISHU_APP_ID", "FEISHU_APP_SECRET"),
}

# --- languages
LANGUAGE_CODE = read.one_of("LANGUAGE_CODE", ("zh-hans", "en"), default="zh-hans")
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "crm" / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = ["crm.formats"]

# --- files and mail
STATIC_URL = "/static/"
STATIC_ROOT = None if SERVES_SOURCES else BASE_DIR / "staticfiles"  # embedded, files are served where they lie
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = SERVES_SOURCES
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if SERVES_SOURCES
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
MEDIA_ROOT = VAR_DIR / "files"
FILE_UPLOAD_HANDLERS = [
    "crm.lib.uploads.LimitedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
EMAIL_URL = read.url(
    "EMAIL_URL", ("smtp", "smtp+tls", "smtp+ssl", "consolemail", "filemail"), "smtp+tls://user:password@host:587"
)
if EMAIL_URL:
    vars().update(read.env.email_url_config(EMAIL_URL))
else:
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
DEFAULT_FROM_EMAIL = SERVER_EMAIL = read.mail_address("EMAIL_FROM", default="Hengke <hengke@localhost>")

# --- security
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "crm.views.errors.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],  # the style sheet draws check marks and arrows as data: images
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- API
API_RATE = read.rate("API_RATE", default="600/min")
KNOX_TOKEN_MODEL = "crm.ApiToken"
REST_KNOX = {
    "AUTH_HEADER_PREFIX": "Bearer",
    "TOKEN_MODEL": "crm.ApiToken",
    "TOKEN_TTL": None,
    "TOKEN_LIMIT_PER_USER": None,
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["crm.api.authentication.BearerToken", "crm.api.authentication.BrowserSession"],
    "DEFAULT_PERMISSION_CLASSES": ["crm.api.permissions.RequiresPermission"],
    "DEFAULT_RENDERER_CLASSES": ["crm.api.renderers.Json"],
    "DEFAULT_THROTTLE_CLASSES": ["crm.api.throttling.Rate"],
    "DEFAULT_PARSER_CLASSES": ["crm.api.renderers.JsonParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "crm.api.negotiation.StrictNegotiation",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_FILTER_BACKENDS": ["crm.api.filtering.StrictFilters"],
    "DEFAULT_PAGINATION_CLASS": "crm.api.pagination.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "crm.api.schema.DocumentedSchema",
    "EXCEPTION_HANDLER": "crm.api.problems.problem_response",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Hengke API",
    "DESCRIPTION": "Grades, customers and what decides them. See docs/api.md.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "GradeState": "crm.models.GradeState",
        "GradeLetter": "crm.models.GradeLetter",
        "PolicyState": "crm.models.PolicyState",
        "CycleState": "grading.models.CycleState",
        "RunState": "grading.models.RunState",
    },
}

# --- logs: one line each, to standard error
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"django.request": {"level": "ERROR"}, "celery": {"level": "WARNING"}},
}
