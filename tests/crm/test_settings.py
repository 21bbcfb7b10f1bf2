"""The environment decides how the product runs; nonsense in it stops the start with one sentence that helps."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from crm import environment as read

GOOD_KEY = secrets.token_urlsafe(60)
PRODUCTION = {
    "DATABASE_URL": "postgres://hengke:secret@db.example.com:5432/hengke",
    "REDIS_URL": "redis://redis.example.com:6379/0",
    "SECRET_KEY": GOOD_KEY,
    "ALLOWED_HOSTS": "crm.example.com",
    "CSRF_TRUSTED_ORIGINS": "https://crm.example.com",
    "EMAIL_URL": "smtp+tls://hengke:secret@mail.example.com:587",
}
PRINT = "from django.conf import settings as s; print({})"


def start(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Start the program as an installation does, with these variables and none of this shell's."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", "manage.py", *(arguments or ("check",))],
        cwd=settings.BASE_DIR,
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
    )


# --- what makes no sense


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DEBUG", "maybe", "DEBUG is 'maybe'; write true or false."),
        ("HTTPS", "2", "HTTPS is '2'; write true or false."),
        ("FISCAL_YEAR_START_MONTH", "13", "is '13'; write a month from 1 (January) to 12 (December)."),
        ("FISCAL_YEAR_START_MONTH", "April", "is 'April'; write a month from 1 (January) to 12 (December)."),
        ("FISCAL_YEAR_START_MONTH", "³", "write a month from 1 (January) to 12 (December)."),
        ("LANGUAGE_CODE", "zh-CN", "LANGUAGE_CODE is 'zh-CN'; write one of: zh-hans, en."),
        ("TIME_ZONE", "Beijing", "TIME_ZONE is 'Beijing'; write a time zone such as Asia/Shanghai."),
        ("DATABASE_URL", "mysql://a:b@c/d", "such as postgres://user:password@host:5432/name."),
        ("DATABASE_URL", "postgres://host:port/name", "such as postgres://user:password@host:5432/name."),
        ("DATABASE_URL", "postgres://user:password@host", "such as postgres://user:password@host:5432/name."),
        ("REDIS_URL", "localhost:6379", "such as redis://host:6379/0."),
        ("REDIS_URL", "redis://", "such as redis://host:6379/0."),
        ("EMAIL_URL", "mail.example.com", "such as smtp+tls://user:password@host:587."),
        ("ALLOWED_HOSTS", "https://crm.example.com", "write host names alone, such as crm.example.com."),
        ("ALLOWED_HOSTS", "crm.example.com:443", "write host names alone, such as crm.example.com."),
        (
            "CSRF_TRUSTED_ORIGINS",
            "crm.example.com",
            "write origins with their scheme, such as https://crm.example.com.",
        ),
        ("SECRET_KEY", "secret", "is too short to be a secret; write at least 50 random characters."),
        ("SECRET_KEY", "a" * 60, "is too short to be a secret; write at least 50 random characters."),
        ("API_RATE", "often", "is 'often'; write how often, such as 10/s, 600/min or 5000/h, or 0 for no limit."),
        ("API_RATE", "600", "or 0 for no limit."),
        ("API_RATE", "-1/min", "or 0 for no limit."),
        ("EMAIL_FROM", "hengke", "write an address such as crm@example.com or Hengke <crm@example.com>."),
        ("EMAIL_FROM", "a@b.cn\nBcc: c@d.cn", "write an address such as crm@example.com or Hengke <crm@example.com>."),
        ("OIDC_ISSUER", "http://id.example.com", "such as https://login.example.com/realms/company."),
        ("OIDC_ISSUER", "id.example.com", "such as https://login.example.com/realms/company."),
        ("OIDC_ISSUER", "https://", "such as https://login.example.com/realms/company."),
        ("OIDC_ISSUER", "https://[x", "such as https://login.example.com/realms/company."),
        ("MFA_REQUIRED_ROLES", "boss", "contains 'boss'; write some of: all, executive, administrator."),
        ("PROXIES_IN_FRONT", "two", "PROXIES_IN_FRONT is 'two'; write a number from 0 to 9."),
        ("HENGKE_DATA_DIR", __file__, "which cannot be used (File exists); write a folder that can be written to."),
    ],
)
def test_a_value_that_makes_no_sense_is_answered_with_what_to_write(name, value, sentence, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        READERS[name]()
    message = str(stopped.value)
    assert message.startswith(f"Hengke does not start: {name} ")
    assert message.endswith(sentence)
    assert "\n" not in message


READERS = {
    "DEBUG": lambda: read.boolean("DEBUG", default=False),
    "HTTPS": lambda: read.boolean("HTTPS", default=False),
    "FISCAL_YEAR_START_MONTH": lambda: read.month("FISCAL_YEAR_START_MONTH", default=1),
    "LANGUAGE_CODE": lambda: read.one_of("LANGUAGE_CODE", ("zh-hans", "en"), default="zh-hans"),
    "TIME_ZONE": lambda: read.time_zone("TIME_ZONE", default="Asia/Shanghai"),
    "DATABASE_URL": lambda: read.url(
        "DATABASE_URL", ("postgres", "postgresql", "sqlite"), "postgres://user:password@host:5432/name"
    ),
    "REDIS_URL": lambda: read.url("REDIS_URL", ("redis", "rediss"), "redis://host:6379/0"),
    "EMAIL_URL": lambda: read.url("EMAIL_URL", ("smtp+tls",), "smtp+tls://user:password@host:587"),
    "ALLOWED_HOSTS": lambda: read.hosts("ALLOWED_HOSTS"),
    "CSRF_TRUSTED_ORIGINS": lambda: read.origins("CSRF_TRUSTED_ORIGINS"),
    "SECRET_KEY": lambda: read.secret_key("SECRET_KEY", keep_in=None),
    "API_RATE": lambda: read.rate("API_RATE", default="600/min"),
    "EMAIL_FROM": lambda: read.mail_address("EMAIL_FROM", default="Hengke <hengke@localhost>"),
    "OIDC_ISSUER": lambda: read.issuer("OIDC_ISSUER"),
    "MFA_REQUIRED_ROLES": lambda: read.refuse_unknown(
        "MFA_REQUIRED_ROLES", read.words("MFA_REQUIRED_ROLES"), ["all", "executive", "administrator"]
    ),
    "PROXIES_IN_FRONT": lambda: read.count("PROXIES_IN_FRONT", default=0),
    "HENGKE_DATA_DIR": lambda: read.folder("HENGKE_DATA_DIR", default=Path()),
}


def test_a_folder_that_cannot_be_written_to_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(read.os, "access", lambda *args: False)
    with pytest.raises(SystemExit, match="cannot be written to; write a folder that can"):
        read.folder("HENGKE_DATA_DIR", default=tmp_path)


def test_a_secret_is_not_repeated_in_the_message(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "my-short-secret")
    monkeypatch.setenv("DATABASE_URL", "postgres://hengke:my-password@host")
    for name in ("SECRET_KEY", "DATABASE_URL"):
        with pytest.raises(SystemExit) as stopped:
            READERS[name]()
        assert "my-" not in str(stopped.value)


def test_the_program_ends_with_that_sentence_alone():
    ended = start(FISCAL_YEAR_START_MONTH="0")
    assert ended.returncode == 1
    assert ended.stderr.strip() == (
        "Hengke does not start: FISCAL_YEAR_START_MONTH is '0'; write a month from 1 (January) to 12 (December)."
    )


def test_a_role_that_does_not_exist_ends_the_start():
    ended = start(MFA_REQUIRED_ROLES="administrator,boss")
    assert ended.returncode == 1
    message = ended.stderr.strip()
    assert message.startswith(
        "Hengke does not start: MFA_REQUIRED_ROLES contains 'boss'; write some of: all, executive,"
    )
    assert "\n" not in message


def test_half_a_company_sign_in_ends_the_start():
    ended = start(WECOM_CORP_ID="ww1", WECOM_SECRET="hidden")
    assert ended.stderr.strip() == (
        "Hengke does not start: WECOM_AGENT_ID is not set, but WECOM_CORP_ID is; "
        "write WECOM_CORP_ID, WECOM_AGENT_ID, WECOM_SECRET, or none of them."
    )


def test_a_company_sign_in_and_roles_are_read(tmp_path):
    shown = "s.MFA_REQUIRED_ROLES, s.COMPANY_SIGN_IN['wecom']['WECOM_CORP_ID'], s.COMPANY_SIGN_IN['oidc']['issuer']"
    ended = start(
        "shell",
        "--no-imports",
        "-c",
        PRINT.format(shown),
        HENGKE_DATA_DIR=str(tmp_path),
        MFA_REQUIRED_ROLES="administrator, sales_management",
        WECOM_CORP_ID="ww1",
        WECOM_AGENT_ID="1",
        WECOM_SECRET="s",
        OIDC_ISSUER="https://id.example.com/realms/corp/",
        OIDC_CLIENT_ID="hengke",
        OIDC_CLIENT_SECRET="s",
    )
    assert ended.stdout.strip() == ("['administrator', 'sales_management'] ww1 https://id.example.com/realms/corp"), (
        ended.stderr
    )


def test_on_servers_nothing_starts_without_a_secret():
    ended = start(**PRODUCTION | {"SECRET_KEY": ""})
    assert ended.stderr.strip().endswith(
        "SECRET_KEY is not set; write at least 50 random characters and keep them secret."
    )


# --- what makes sense


def test_an_empty_variable_is_as_good_as_none(monkeypatch):
    for name in READERS:
        monkeypatch.setenv(name, " ")
    assert READERS["FISCAL_YEAR_START_MONTH"]() == 1
    assert READERS["LANGUAGE_CODE"]() == "zh-hans"
    assert READERS["DATABASE_URL"]() == ""
    assert READERS["DEBUG"]() is False


@pytest.mark.parametrize(
    ("word", "rate"), [("", (600, 60)), ("10/s", (10, 1)), ("5000/h", (5000, 3600)), ("0", (0, 1)), ("0/min", (0, 60))]
)
def test_a_rate_is_how_often_in_how_many_seconds(monkeypatch, word, rate):
    monkeypatch.setenv("API_RATE", word)
    assert READERS["API_RATE"]() == rate


@pytest.mark.parametrize(("word", "value"), [("true", True), ("1", True), ("ON", True), ("no", False), ("0", False)])
def test_on_and_off_are_written_as_people_write_them(monkeypatch, word, value):
    monkeypatch.setenv("DEBUG", word)
    assert READERS["DEBUG"]() is value


def test_a_secret_may_begin_with_a_dollar_sign(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", f"${GOOD_KEY}")
    assert READERS["SECRET_KEY"]() == f"${GOOD_KEY}"


def test_the_embedded_installation_makes_its_secret_once_and_keeps_it_to_itself(tmp_path, monkeypatch):
    monkeypatch.delenv("SECRET_KEY", raising=False)
    file = tmp_path / "secret_key"
    first = read.secret_key("SECRET_KEY", keep_in=file)
    assert len(first) >= 50
    assert read.secret_key("SECRET_KEY", keep_in=file) == first
    assert file.stat().st_mode & 0o077 == 0


def test_production_passes_djangos_deployment_check_with_nothing_silenced(tmp_path):
    checked = start("check", "--deploy", "--fail-level", "WARNING", HENGKE_DATA_DIR=str(tmp_path), **PRODUCTION)
    assert checked.returncode == 0, checked.stderr
    assert "(0 silenced)" in checked.stdout + checked.stderr


def test_production_runs_behind_https_on_postgresql_and_redis(tmp_path):
    shown = (
        "s.DEBUG, s.SECURE_SSL_REDIRECT, s.SESSION_COOKIE_SECURE, s.DATABASES['default']['ENGINE'], s.CELERY_BROKER_URL"
    )
    ended = start("shell", "--no-imports", "-c", PRINT.format(shown), HENGKE_DATA_DIR=str(tmp_path), **PRODUCTION)
    expected = (False, True, True, "django.db.backends.postgresql", PRODUCTION["REDIS_URL"])
    assert ended.stdout.strip() == " ".join(map(str, expected)), ended.stderr


def test_with_nothing_configured_it_runs_embedded_in_chinese(tmp_path):
    names = (
        "DEBUG",
        "SECURE_SSL_REDIRECT",
        "IS_EMBEDDED",
        "LANGUAGE_CODE",
        "TIME_ZONE",
        "FISCAL_YEAR_START_MONTH",
    )
    shown = f"{', '.join(f's.{name}' for name in names)}, s.DATABASES['default']['ENGINE']"
    ended = start("shell", "--no-imports", "-c", PRINT.format(shown), HENGKE_DATA_DIR=str(tmp_path / "new"))
    expected = (False, False, True, "zh-hans", "Asia/Shanghai", 1, "django.db.backends.sqlite3")
    assert ended.stdout.strip() == " ".join(map(str, expected)), ended.stderr


def test_every_variable_that_is_read_is_described():
    """docs/settings.md and the settings name the same variables."""
    wired = (settings.BASE_DIR / "crm" / "settings.py").read_text()
    described = (settings.BASE_DIR / "docs" / "settings.md").read_text()
    assert [name for name in READERS if f'"{name}"' not in wired or f"`{name}`" not in described] == []
