"""Readers of environment variables that refuse nonsense with one sentence saying what to write instead."""

import secrets
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import environ

env = environ.Env()


def stop(name: str, advice: str) -> NoReturn:
    """End the start of the program: the value of `name` makes no sense."""
    raise SystemExit(f"Hengke does not start: {name} {advice}")


def boolean(name: str, *, default: bool) -> bool:
    """Read on / off."""
    value = env.str(name, default="").strip().lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    if value:
        stop(name, f"is {value!r}; write true or false.")
    return default


def month(name: str, *, default: int) -> int:
    """Read a month, 1 to 12."""
    value = env.str(name, default=str(default)).strip()
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= 12):
        stop(name, f"is {value!r}; write a month from 1 (January) to 12 (December).")
    return int(value)


def one_of(name: str, allowed: tuple[str, ...], *, default: str) -> str:
    """Read one of a few words."""
    value = env.str(name, default=default).strip()
    if value not in allowed:
        stop(name, f"is {value!r}; write one of: {', '.join(allowed)}.")
    return value


def time_zone(name: str, *, default: str) -> str:
    """Read the name of a time zone."""
    value = env.str(name, default=default).strip()
    if value not in available_timezones():
        stop(name, f"is {value!r}; write a time zone such as Asia/Shanghai.")
    return value


def url(name: str, schemes: tuple[str, ...], example: str) -> str:
    """Read an address with one of the schemes; empty where it is not set."""
    value = env.str(name, default="").strip()
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        ready = parts.scheme in schemes and (parts.port is None or parts.port > 0)
    except ValueError:
        ready = False
    if not ready:
        stop(name, f"cannot be read; write an address such as {example}.")
    return value


def words(name: str, *, default: tuple[str, ...] = ()) -> list[str]:
    """Read a list separated by commas."""
    return [word.strip() for word in env.str(name, default=",".join(default)).split(",") if word.strip()]


def origins(name: str) -> list[str]:
    """Read a list of origins, each with its scheme."""
    values = words(name)
    for value in values:
        if urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).netloc:
            stop(name, f"contains {value!r}; write origins with their scheme, such as https://crm.example.com.")
    return values


def secret_key(name: str, *, keep_in: Path | None) -> str:
    """Read the secret key; the embedded installation makes one and keeps it beside its database."""
    value = env.str(name, default="")
    if value:
        if len(value) < 50 or len(set(value)) < 5:
            stop(name, "is too short to be a secret; write at least 50 random characters.")
        return value
    if keep_in is None:
        stop(name, "is not set; write at least 50 random characters and keep them secret.")
    keep_in.parent.mkdir(parents=True, exist_ok=True)
    if not keep_in.exists():
        keep_in.touch(mode=0o600)
        keep_in.write_text(secrets.token_urlsafe(64))
    return keep_in.read_text().strip()
