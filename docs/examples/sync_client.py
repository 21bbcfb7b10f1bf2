"""Keep a copy of the grades in step: python sync_client.py https://crm.example.com TOKEN grades.sqlite3

Run it as often as you like. Stopped anywhere, it goes on where it was; each page is kept together with its place.
"""

import json
import sqlite3
import sys
import time
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

LONG_AGO = "1970-01-01T00:00:00Z"  # before everything: the first call gives it all


def get(url: str, token: str) -> dict:
    try:
        with urlopen(Request(url, headers={"Authorization": f"Bearer {token}"}), timeout=60) as answer:
            return json.load(answer)
    except HTTPError as error:
        if error.code != 429:
            raise
        time.sleep(int(error.headers["Retry-After"]))  # asked too often: wait as long as it says
        return get(url, token)


def sync(base: str, token: str, copy: sqlite3.Connection) -> None:
    copy.execute("CREATE TABLE IF NOT EXISTS grade (id INTEGER PRIMARY KEY, body TEXT)")
    copy.execute("CREATE TABLE IF NOT EXISTS place (id INTEGER PRIMARY KEY, url TEXT)")
    first = f"{base}/api/v1/grades/?page_size=1000&changed_since="
    url = (copy.execute("SELECT url FROM place").fetchone() or (first + LONG_AGO,))[0]
    while url:
        try:
            page = get(url, token)
        except HTTPError as error:
            if error.code != 410:
                raise
            with copy:  # too long ago, another year or another scope: begin again
                copy.execute("DELETE FROM grade")
                copy.execute("DELETE FROM place")
            return sync(base, token, copy)
        kept = [(row["id"], json.dumps(row)) for row in page["results"] if not row.get("deleted")]
        with copy:
            copy.executemany("DELETE FROM grade WHERE id = ?", [(row["id"],) for row in page["results"]])
            copy.executemany("INSERT OR REPLACE INTO grade VALUES (?, ?)", kept)
            copy.execute("INSERT OR REPLACE INTO place VALUES (1, ?)", [page["next"] or first + quote(page["sync"])])
        url = page["next"]


if __name__ == "__main__":
    sync(sys.argv[1], sys.argv[2], sqlite3.connect(sys.argv[3]))
