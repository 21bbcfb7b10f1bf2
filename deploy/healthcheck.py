"""Say by the exit code whether a container does its work.

    python deploy/healthcheck.py /readyz                    the web process answers this page with 200
    python deploy/healthcheck.py --touched NAME SECONDS     a file NAME* in the data folder was written lately

Needs nothing but Python: it must answer even where the product cannot start.
"""

import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

PORT = 8000


def answers(path: str) -> bool:
    """Whether the web process of this container answers `path` with 200."""
    # The product refuses hosts that it does not know; it knows the first of these.
    host = os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip().lstrip(".*") or "localhost"
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=4) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def was_touched(name: str, seconds: float) -> bool:
    """Whether a file whose name starts with `name` was written within the last `seconds`."""
    folder = Path(os.environ.get("HENGKE_DATA_DIR", "var"))
    return any(time.time() - path.stat().st_mtime < seconds for path in folder.glob(f"{name}*"))


def main(arguments: list[str]) -> int:
    match arguments:
        case ["--touched", name, seconds]:
            is_well = was_touched(name, float(seconds))
        case [path]:
            is_well = answers(path)
        case _:
            sys.exit(__doc__)
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
