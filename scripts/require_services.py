"""Make sure that everything the full test suite needs is there, then run a command with it.

    python -m scripts.require_services COMMAND [ARGUMENT ...]

Prints one sentence for each thing that is missing and stops with 1. Otherwise runs the command with DATABASE_URL,
REDIS_URL, HENGKE_CHROMIUM and HENGKE_REAL_DATA set, as a developer on PostgreSQL would have it: plain HTTP, and static
files straight from their source. HENGKE_TEST_DATABASE_URL, HENGKE_TEST_REDIS_URL, HENGKE_CHROMIUM
and HENGKE_REAL_DATA say where things are, if not in the usual places. HENGKE_WITHOUT=real_data leaves the tests on
real data out.
"""

import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg2
import redis

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Missing(Exception):
    """Something that the suite needs is not there; the text says what and how to get it."""


def database_url(env: Mapping[str, str]) -> str:
    """The address of a PostgreSQL that lets us make databases.

    Without HENGKE_TEST_DATABASE_URL the server on this machine is tried as the roles that usually exist.
    """
    port = env.get("PGPORT", "5432")
    roles = ("hengke:hengke", "postgres")
    # The process's number in the name lets two runs on one machine work side by side.
    usual = [f"postgres://{role}@127.0.0.1:{port}/hengke_{os.getpid()}" for role in roles]
    candidates = [env["HENGKE_TEST_DATABASE_URL"]] if env.get("HENGKE_TEST_DATABASE_URL") else usual
    reasons = []
    for url in candidates:
        reason = refusal(url)
        if reason is None:
            return url
        reasons.append(reason)
    raise Missing(
        f"PostgreSQL is missing ({reasons[-1]}): start one whose role may create databases, "
        f"and name it in HENGKE_TEST_DATABASE_URL=postgres://user:password@127.0.0.1:{port}/hengke."
    )


def refusal(url: str) -> str | None:
    """Why the tests cannot use this server, or None."""
    server, _, _ = url.rpartition("/")
    try:
        connection = psycopg2.connect(f"{server}/postgres", connect_timeout=5)
    except psycopg2.OperationalError as error:
        return str(error).strip().splitlines()[0]
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
        answer = cursor.fetchone()
    connection.close()
    return None if answer == (True,) else "its role may not create databases"


def redis_url(env: Mapping[str, str]) -> str:
    """The address of a Redis; by default its last database, so that a development site on the first is left alone."""
    url = env.get("HENGKE_TEST_REDIS_URL") or f"redis://127.0.0.1:{env.get('REDIS_PORT', '6379')}/15"
    try:
        redis.Redis.from_url(url, socket_connect_timeout=5).ping()
    except (redis.RedisError, ValueError) as error:
        raise Missing(f"Redis is missing ({error}): start one, or name it in HENGKE_TEST_REDIS_URL={url}.") from error
    return url


def chromium(env: Mapping[str, str]) -> str:
    """The browser's program."""
    named = env.get("HENGKE_CHROMIUM")
    found = next(filter(None, map(shutil.which, (named,) if named else BROWSERS)), None)
    if found is None:
        raise Missing("Chromium is missing: install the package chromium, or name the program in HENGKE_CHROMIUM.")
    return found


def real_data(env: Mapping[str, str]) -> str:
    """The folder with real data."""
    folder = Path(env.get("HENGKE_REAL_DATA") or ROOT / ".." / "shared" / "data").resolve()
    if not folder.is_dir():
        raise Missing(f"The real data is missing (no folder {folder}): name the folder in HENGKE_REAL_DATA.")
    return str(folder)


def without(env: Mapping[str, str]) -> set[str]:
    """What is left out on purpose."""
    return {word for word in env.get("HENGKE_WITHOUT", "").split(",") if word}


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """The variables for the suite. Raises Missing with a sentence per missing thing."""
    needs = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "HENGKE_CHROMIUM": chromium,
        "HENGKE_REAL_DATA": real_data,
    }
    if "real_data" in without(env):
        del needs["HENGKE_REAL_DATA"]
    found, missing = {}, []
    for name, find in needs.items():
        try:
            found[name] = find(env)
        except Missing as error:
            missing.append(str(error))
    if missing:
        raise Missing("\n".join(missing))
    return found


def main(command: list[str]) -> None:
    try:
        found = environment(os.environ)
    except Missing as error:
        sys.exit(str(error))
    if not command:
        return
    if "real_data" in without(os.environ):
        print("Left out on purpose: the tests marked real_data.", flush=True)
        command = [*command, "-m", "not real_data"]
    development = {"DEBUG": "true", "HTTPS": "false", "SECRET_KEY": secrets.token_urlsafe(60)}
    os.execvpe(command[0], command, {**os.environ, **development, **found})


if __name__ == "__main__":
    main(sys.argv[1:])
