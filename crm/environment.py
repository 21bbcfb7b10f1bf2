"""Readers of environment variables that refuse nonsense with one sentence saying what to write instead."""

import os
import re
import secrets
from collections.abc import Collection
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import environ

env = environ.Env()  # takes database and mail addresses apart; it would take "$…" for another variable's name

_WITHOUT_HOST = ("sqlite", "postgres", "postgresql", "consolemail", "filemail")  # a file, a socket, this machine


def stop(name: str, advice: str) -> NoReturn:
    """End the start of the program: the value of `name` makes no sense."""
    raise SystemExit(f"Hengke does not start: {name} {advice}")


def text(name: str, *, default: str = "") -> str:
    """Read a value as it stands; an empty one is the default."""
    return os.environ.get(name, "").strip() or default


def boolean(name: str, *, default: bool) -> bool:
    """Read on / off."""
    value = text(name).lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    if value:
        stop(name, f"is {value!r}; write true or false.")
    return default


def month(name: str, *, default: int) -> int:
    """Read a month, 1 to 12."""
    value = text(name, default=str(default))
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= 12):
        stop(name, f"is {value!r}; write a month from 1 (January) to 12 (December).")
    return int(value)


def count(name: str, *, default: int) -> int:
    """Read how many of something there are."""
    value = text(name, default=str(default))
    if not (value.isascii() and value.isdigit() and int(value) <= 9):
        stop(name, f"is {value!r}; write a number from 0 to 9.")
    return int(value)


def rate(name: str, *, default: str) -> tuple[int, int]:
    """Read how often in how many seconds; 0 is no limit."""
    value = text(name, default=default)
    match = re.fullmatch(r"(\d{1,7})(?:/(s|min|h))?", value, re.ASCII)
    if match is None or (int(match[1]) > 0 and not match[2]):
        stop(name, f"is {value!r}; write how often, such as 10/s, 600/min or 5000/h, or 0 for no limit.")
    return int(match[1]), {"s": 1, "min": 60, "h": 3600}[match[2] or "s"]


def one_of(name: str, allowed: tuple[str, ...], *, default: str) -> str:
    """Read one of a few words."""
    value = text(name, default=default)
    if value not in allowed:
        stop(name, f"is {value!r}; write one of: {', '.join(allowed)}.")
    return value


def time_zone(name: str, *, default: str) -> str:
    """Read the name of a time zone."""
    value = text(name, default=default)
    if value not in available_timezones():
        stop(name, f"is {value!r}; write a time zone such as Asia/Shanghai.")
    return value


def url(name: str, schemes: tuple[str, ...], example: str) -> str:
    """Read an address with one of the schemes; empty where it is not set."""
    value = text(name)
    if value and not _is_address(value, schemes):
        stop(name, f"cannot be read; write an address such as {example}.")
    return value


def _is_address(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    has_host = bool(parts.hostname) or parts.scheme in _WITHOUT_HOST
    names_database = not parts.scheme.startswith("postgres") or len(parts.path) > 1
    return parts.scheme in schemes and has_port and has_host and names_database


def words(name: str, *, default: tuple[str, ...] = ()) -> list[str]:
    """Read a list separated by commas."""
    return [word.strip() for word in text(name, default=",".join(default)).split(",") if word.strip()]


def refuse_unknown(name: str, values: Collection[str], known: Collection[str]) -> None:
    """Stop where a list names what does not exist, now that it is known what does."""
    for value in values:
        if value not in known:
            stop(name, f"contains {value!r}; write some of: {', '.join(known)}.")


def together(*names: str) -> dict[str, str]:
    """Read values that are of use only together: all of them, or none."""
    values = {name: text(name) for name in names}
    missing = [name for name, value in values.items() if not value]
    if missing and len(missing) < len(names):
        present = next(name for name, value in values.items() if value)
        stop(missing[0], f"is not set, but {present} is; write {', '.join(names)}, or none of them.")
    return {} if missing else values


def issuer(name: str) -> str:
    """Read the address of an OpenID Connect issuer: encrypted, unless it is on this machine."""
    value = text(name)
    if value and not _is_issuer(value):
        stop(name, f"is {value!r}; write the issuer's address, such as https://login.example.com/realms/company.")
    return value.rstrip("/")


def _is_issuer(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    schemes = ("http", "https") if parts.hostname in ("127.0.0.1", "localhost", "::1") else ("https",)
    return parts.scheme in schemes and bool(parts.hostname) and not (parts.query or parts.fragment or parts.username)


def mail_address(name: str, *, default: str) -> str:
    """Read an e-mail address, alone or with a name."""
    value = text(name, default=default)
    if not re.fullmatch(r"[^@<>\s]+@[^@<>\s]+|[^<>@\r\n]*<[^@<>\s]+@[^@<>\s]+>", value):
        stop(name, f"is {value!r}; write an address such as crm@example.com or Hengke <crm@example.com>.")
    return value


def hosts(name: str, *, default: tuple[str, ...] = ()) -> list[str]:
    """Read a list of host names, without scheme, port and path."""
    values = words(name, default=default)
    for value in values:
        if not re.fullmatch(r"\*|\.?[\w.-]+|\[[0-9a-fA-F:.]+\]", value):
            stop(name, f"contains {value!r}; write host names alone, such as crm.example.com.")
    return values


def origins(name: str) -> list[str]:
    """Read a list of origins, each with its scheme."""
    values = words(name)
    for value in values:
        if urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).netloc:
            stop(name, f"contains {value!r}; write origins with their scheme, such as https://crm.example.com.")
    return values


def folder(name: str, *, default: Path) -> Path:
    """Read a folder to keep data in; it is made where it is not there."""
    value = Path(text(name, default=str(default)))
    try:
        value.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        stop(
            name, f"is {str(value)!r}, which cannot be used ({error.strerror}); write a folder that can be written to."
        )
    if not os.access(value, os.W_OK):
        stop(name, f"is {str(value)!r}, which cannot be written to; write a folder that can.")
    return value


def secret_key(name: str, *, keep_in: Path | None) -> str:
    """Read the secret key; the embedded installation makes one and keeps it beside its database."""
    value = text(name)
    if value:
        if len(value) < 50 or len(set(value)) < 5:
            stop(name, "is too short to be a secret; write at least 50 random characters.")
        return value
    if keep_in is None:
        stop(name, "is not set; write at least 50 random characters and keep them secret.")
    if not keep_in.exists():
        keep_in.touch(mode=0o600)
        keep_in.write_text(secrets.token_urlsafe(64))
    return keep_in.read_text().strip()
