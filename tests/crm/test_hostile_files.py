"""Files that would cost a server its memory or its time: each is refused with one sentence, by a child that may die."""

import json
import subprocess
import sys
import time

import pytest
from django.conf import settings

from crm.lib import parsing
from crm.lib.parsing import FileUnreadable, Limits, parse
from crm.lib.spreadsheets import inspect_file, read_table
from tests.crm import hostile

MOST_MEMORY, MOST_SECONDS = 512, 20
# Everything in one fresh process, whose own memory and whose children's are known to the system.
MEASURE = """
import json, resource, sys, time
from pathlib import Path
import django
django.setup()
from crm.lib.spreadsheets import FileUnreadable, read_table
said = {}
for name in sys.argv[1:]:
    began = time.monotonic()
    try:
        read_table(Path(name))
    except FileUnreadable as error:
        said[Path(name).name] = [str(error), time.monotonic() - began]
# The system counts what a process was before it became this program as its own; the kernel's file does not.
own = int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))) // 1024
children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
print(json.dumps({"said": said, "own": own, "children": children}))
"""


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    files = {make(folder).name: sentence for make, sentence in hostile.FILES.items()}
    env = {"DJANGO_SETTINGS_MODULE": "crm.settings", "LANGUAGE_CODE": "en"}
    words = [sys.executable, "-c", MEASURE, *(str(folder / name) for name in files)]
    done = subprocess.run(words, env=env, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True)
    return files, json.loads(done.stdout.splitlines()[-1])


def test_each_hostile_file_is_refused_with_one_sentence_that_says_why(measured):
    files, result = measured
    for name, sentence in files.items():
        said = result["said"].get(name, ["was read"])[0]
        assert sentence in said, name
        assert "\n" not in said


def test_none_of_them_takes_long(measured):
    _files, result = measured
    assert max(seconds for _sentence, seconds in result["said"].values()) < MOST_SECONDS


def test_parent_and_child_together_stay_in_their_memory(measured):
    _files, result = measured
    assert result["own"] + result["children"] <= MOST_MEMORY


def test_a_file_that_keeps_the_child_busy_is_given_up(tmp_path, monkeypatch):
    file = hostile.millions_of_rows_within_limits(tmp_path)
    began = time.monotonic()
    with pytest.raises(FileUnreadable, match="takes too long"):
        list(
            parse(file, file.name, {"form": "workbook", "sheet": None, "first": 0, "header_row": 1}, Limits(clock=0.1))
        )
    assert time.monotonic() - began < 5


def test_a_child_that_dies_otherwise_is_a_file_that_cannot_be_read(tmp_path, monkeypatch, caplog):
    dying = tmp_path / "dying.py"
    dying.write_text("raise BaseException('a reader that panics')")
    monkeypatch.setattr(parsing, "CHILD", dying)
    file = tmp_path / "x.xlsx"
    file.write_bytes(b"")
    with pytest.raises(FileUnreadable, match="not an xlsx file, or is damaged"):
        read_table(file)
    assert "a reader that panics" in caplog.text


def test_a_panic_of_the_reader_stays_in_the_child(tmp_path):
    book = hostile.workbook(tmp_path / "x.xlsx", '<row r="1"><c r="A99999999999999999999"><v>1</v></c></row>')
    with pytest.raises(FileUnreadable):
        read_table(book)


def test_a_long_table_is_read(tmp_path):
    rows = "".join(
        f'<row r="{n}">{hostile.text_cell(f"A{n}", "name" if n == 1 else f"杭州市第{n}公安局")}</row>'
        for n in range(1, 30_001)
    )
    table = read_table(hostile.workbook(tmp_path / "large.xlsx", rows, level=1))
    assert (len(table.rows), table.rows[-1].cells["name"]) == (29_999, "杭州市第30000公安局")


def test_a_hostile_file_is_refused_when_it_is_only_looked_at(tmp_path):
    with pytest.raises(FileUnreadable, match="spans or holds more"):
        inspect_file(hostile.a_cell_in_the_last_corner(tmp_path))
