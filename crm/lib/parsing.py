"""Starting the child that opens a file (crm.lib.parse_file), with its limits, and what its ends mean to people."""

import json
import logging
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import orjson
from django.utils.translation import gettext_lazy as _

logger = logging.getLogger(__name__)

_HELD_BEFORE_THE_END = 80_000_000  # bytes; what comes after them waits until the child has refused nothing
_A_CELL = 88  # bytes, beside those of its text
_REFUSAL = b'{"refused":'
CHILD = Path(__file__).with_name("parse_file.py")
_SENTENCES = {
    "unpacked": _("{name} unpacks to more than 50 MB; split it into several files"),
    "packed": _("{name} unpacks to more than {ratio} times its size; open it in Excel or WPS and save it anew"),
    "encrypted": _("{name} is protected by a password; save it without one"),
    "old": _("{name} is an old Excel file (.xls); open it and save it as .xlsx"),
    "no_workbook": _("{name} is not an xlsx file, or is damaged; open it in Excel or WPS and save it as .xlsx"),
    "no_sheet": _("{name} has no sheet “{sheet}”"),
    "open_quote": _("{name}: a quotation mark in row {row} is opened and never closed; close it or delete it"),
    "no_csv": _("{name} is no csv file from row {row} on; open it in Excel or WPS and save it as “CSV UTF-8”"),
    "encoding": _("{name} is neither UTF-8 nor GB18030; save it as “CSV UTF-8”"),
    "nul": _("{name} holds NUL characters and is not text; save it as “CSV UTF-8”"),
    "rows": _("{name} reaches to row {reach:,}, which is more than {rows:,} rows; cut the file"),
    "columns": _("{name} reaches to column {reach:,}, more than {columns:,}; delete the columns beside the table"),
    "cell": _("{name}: a cell in row {row} holds more than {signs:,} characters; shorten it"),
    "too_much": _("{name} spans or holds more than can be read; copy its table alone into a new workbook, or split it"),
    "too_slow": _("{name} takes too long to read; copy its table alone into a new workbook, or split it"),
}


class FileUnreadable(Exception):
    """The file is not a table that can be read; the message says why and what to do."""


@dataclass(frozen=True)
class Limits:
    """How far a file may go. Beyond it is refused, and nothing of it is kept."""

    largest: int = 50_000_000  # bytes, packed or unpacked
    ratio: int = 200  # of unpacked to packed
    rows: int = 200_000
    columns: int = 500
    cells: int = 4_000_000  # empty ones between filled ones included
    signs: int = 32_767  # in a cell, as in Excel
    text: int = 40_000_000  # signs in all cells
    memory: int = 320_000_000  # bytes of the child
    seconds: int = 12  # of the processor
    clock: int = 18  # seconds that pass


def parse(file: Path | bytes, name: str, question: dict[str, Any], limits: Limits) -> Iterator[dict[str, Any]]:
    """The child's lines about a file. Raises FileUnreadable, and OSError where there is no such file."""
    with ExitStack() as stack:
        content = stack.enter_context(_opened(file, name, limits))
        errors = stack.enter_context(tempfile.TemporaryFile())
        asked = json.dumps({**asdict(limits), **question})
        # -P: the folder of the child's file holds modules of ours, which are not to be taken for Python's.
        words = [sys.executable, "-P", str(CHILD), asked]
        child = stack.enter_context(
            subprocess.Popen(words, stdin=content, stdout=subprocess.PIPE, stderr=errors, close_fds=True)
        )
        stack.callback(child.kill)
        clock = threading.Timer(limits.clock, child.kill)
        stack.callback(clock.cancel)
        clock.start()
        kept = stack.enter_context(tempfile.TemporaryFile())
        for line in _beginning(child.stdout or (), kept):
            yield _answer(line, name, limits)
        if child.wait():
            raise _ended(child.returncode, errors, name, limits)
        kept.seek(0)
        for line in kept:
            yield _answer(line, name, limits)


def _beginning(lines: Iterable[bytes], kept: IO[bytes]) -> Iterator[bytes]:
    """The first lines and a refusal; what stands between them costs no memory as long as the file may be refused."""
    taken = 0
    for line in lines:
        taken += len(line) + _A_CELL * line.count(b",")
        if taken <= _HELD_BEFORE_THE_END or line.startswith(_REFUSAL):
            yield line
        else:
            kept.write(line)


@contextmanager
def _opened(file: Path | bytes, name: str, limits: Limits) -> Iterator[IO[bytes]]:
    size = len(file) if isinstance(file, bytes) else file.stat().st_size
    if size > limits.largest:
        raise FileUnreadable(_("{name} is larger than 50 MB; split it into several files").format(name=name))
    with file.open("rb") if isinstance(file, Path) else tempfile.TemporaryFile() as content:
        if isinstance(file, bytes):
            content.write(file)
            content.seek(0)
        yield content


def _answer(line: bytes, name: str, limits: Limits) -> dict[str, Any]:
    try:
        answer = orjson.loads(line)
    except orjson.JSONDecodeError:  # the child ended in the middle of a line
        return {"rows": [], "has_days": False}
    if "refused" in answer:
        raise _refusal(answer.pop("refused"), name, limits, **answer)
    return answer


def _refusal(code: str, name: str, limits: Limits, **facts: Any) -> FileUnreadable:
    if facts:
        logger.info("%s is refused: %s %s", name, code, facts)
    return FileUnreadable(str(_SENTENCES[code]).format(**{**asdict(limits), **facts, "name": name}))


def _ended(status: int, errors: IO[bytes], name: str, limits: Limits) -> FileUnreadable:
    """What the child's end without an answer means: no memory, no time left, or a reader that did not expect this."""
    errors.seek(0)
    said = errors.read(100_000).decode(errors="replace")
    logger.warning("the parser of %s ended with %s: %s", name, status, said)
    if "memory allocation" in said or "MemoryError" in said or "capacity overflow" in said:
        return _refusal("too_much", name, limits)
    # Ended by a signal: its own limit of processor time, or the clock here.
    return _refusal("too_slow" if status < 0 else "no_workbook", name, limits)
