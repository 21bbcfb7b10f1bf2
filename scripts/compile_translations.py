"""Compile every django.po into the django.mo beside it; with --check, only say which is out of date.

    python -m scripts.compile_translations

The .mo files are committed, so that neither the start nor a test needs gettext's programs.
"""

import argparse
import sys
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent


def catalogs(root: Path) -> list[Path]:
    """The translation files of the project's own apps."""
    return sorted(root.glob("*/locale/*/LC_MESSAGES/*.po"))


def is_current(po: Path) -> bool:
    """Whether the compiled file says exactly what the text file says."""
    mo = po.with_suffix(".mo")
    return mo.exists() and mo.read_bytes() == polib.pofile(str(po)).to_binary()


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing, fail where a file is out of date")
    is_check = parser.parse_args(arguments).check
    stale = [po for po in catalogs(root) if not is_current(po)]
    for po in stale:
        mo = po.with_suffix(".mo")
        if is_check:
            print(f"{mo.relative_to(root)} is older than its .po: run `make messages`.")
        else:
            polib.pofile(str(po)).save_as_mofile(str(mo))
            print(f"Compiled {mo.relative_to(root)}")
    return 1 if is_check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
