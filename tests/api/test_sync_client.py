"""`docs/examples/sync_client.py` against the running product."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.utils import timezone

from crm.actions.customers import save_customer
from crm.actions.tokens import issue_token
from crm.models import User
from grading.actions.assessments import save_assessment
from tests.factories import AssessmentFactory, CustomerLineFactory, CycleFactory

CLIENT = Path(__file__).resolve().parents[2] / "docs" / "examples" / "sync_client.py"
ASKED = "page_size=1000"


@pytest.fixture
def grades(live_server, transactional_db, north, tmp_path):
    """Runs the client and gives its copy by id."""
    token, file = issue_token(user=north, scopes=["grades:read"]), tmp_path / "copy.sqlite3"

    def run(program: Path = CLIENT) -> dict[int, dict]:
        done = subprocess.run(
            [sys.executable, program, live_server.url, token, file], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        copy = sqlite3.connect(file)
        rows = copy.execute("SELECT id, body FROM grade").fetchall()
        copy.close()
        return {pk: json.loads(body) for pk, body in rows}

    run.file = file
    return run


@pytest.fixture
def lines(transactional_db, north_region, north, this_year):
    made = [CustomerLineFactory(customer__region=north_region) for _ in range(3)]
    for line in made:
        assessment = AssessmentFactory(line=line, fiscal_year=this_year)
        save_assessment(assessment=assessment, version=1, by=north)
    return made


@pytest.fixture
def this_year(transactional_db):
    year = timezone.localdate().year
    CycleFactory(fiscal_year=year, state="published", published_at=f"{year}-01-01T00:00:00+08:00")
    return year


def test_it_keeps_a_copy_in_step(grades, lines, south_region):
    copy = grades()
    assert len(copy) == 3
    first, second, third = (line.customer for line in lines)
    first.name, second.region = "改名", south_region
    for customer in (first, second):
        save_customer(customer=customer, version=1, by=None)
    copy = grades()
    assert {row["customer"]["name"] for row in copy.values()} == {"改名", third.name}
    assert len(copy) == 2
    assert grades() == copy


def test_it_goes_on_where_it_was_stopped(grades, lines, tmp_path):
    text = CLIENT.read_text().replace(ASKED, "page_size=1")
    stopped = tmp_path / "stopped.py"
    stopped.write_text(text.replace('url = page["next"]', "return"))
    assert len(grades(stopped)) == 1
    assert len(grades(stopped)) == 2
    slow = tmp_path / "slow.py"
    slow.write_text(text)
    assert len(grades(slow)) == 3


def test_it_begins_again_where_the_scope_changed(grades, lines, north, south_region):
    assert len(grades()) == 3
    User.objects.filter(pk=north.pk).update(region=south_region)
    assert grades() == {}


def test_it_is_forty_lines_long():
    _before, _docstring, code = CLIENT.read_text().split('"""')
    lines = [line for line in code.splitlines() if line.strip() and not line.strip().startswith("#")]
    assert len(lines) <= 40
