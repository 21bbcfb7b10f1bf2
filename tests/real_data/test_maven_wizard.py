"""Maven's CRM data through the wizard's pages: what is dirty is named by row, mended by the mapping, and undone."""

import csv
from collections import Counter

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from crm.actions.undo_import import work_on_undo
from crm.actions.work_on_import import work_on_import
from crm.models import Customer, CustomerLine, DataImport, ImportState, Sale
from grading.models import Assessment
from tests.factories import CustomerFactory
from tests.real_data.test_maven_crm import SHIPPED, files, raw, run

__all__ = ["files", "raw"]  # fixtures

pytestmark = [pytest.mark.real_data, pytest.mark.django_db]

# The price list: a product's series, which is a product line, and its list price in dollars.
SERIES = {
    "GTX Basic": ("GTX", "550"),
    "GTX Pro": ("GTX", "4821"),
    "MG Special": ("MG", "55"),
    "MG Advanced": ("MG", "3393"),
    "GTX Plus Pro": ("GTX", "5482"),
    "GTX Plus Basic": ("GTX", "1096"),
    "GTK 500": ("GTK", "26768"),
}


@pytest.fixture
def web(client_of, head_office, files):
    """A browser of head office, where regions and product lines are known."""
    run("import_file", "regions", SHIPPED / "regions.csv")
    run("import_file", "product-lines", SHIPPED / "product_lines.csv")
    return client_of(head_office)


def send(web, kind, path):
    """Upload a file; the import and the form that is shown for it."""
    file = SimpleUploadedFile(path.name, path.read_bytes())
    answer = web.post("/imports/new/", {"kind": kind, "file": file})
    assert answer.status_code == 302, answer.context["form"].errors
    return DataImport.objects.latest("pk")


def test_run(web, one, **changes):
    """Send the set-up form with some answers, then wait for what the test run says."""
    form = web.get(f"/imports/{one.pk}/set-up/").context["form"]
    data = {"sheet": one.sheet, "header_row": one.header_row}
    data |= {field.html_name: field.value() for field in form if field.value() not in (None, False)}
    answer = web.post(f"/imports/{one.pk}/set-up/", data | changes)
    assert answer.status_code == 302, answer.context["form"].errors
    return worked(one)


test_run.__test__ = False


def columns(web, one, said):
    """The form's answers that make each named column of the file what is said."""
    headers = web.get(f"/imports/{one.pk}/set-up/").context["form"].headers
    return {f"column_{place}": said.get(header, "") for place, header in enumerate(headers)}


def meanings(web, one, means):
    """Answers for the words that the last test run rejected."""
    form = web.get(f"/imports/{one.pk}/set-up/").context["form"]
    return {f"word_{place}": means[word] for place, word in enumerate(form.words) if word in means}


WORK = {"import": work_on_import, "undo-import": work_on_undo}


def worked(one):
    one.refresh_from_db()
    if one.job and one.job.is_active:
        WORK[one.job.kind](job_id=one.job_id)
        one.refresh_from_db()
    return one


def start(web, one):
    web.post(f"/imports/{one.pk}/start/")
    assert worked(one).state == ImportState.DONE, one.report


def counts(one):
    return tuple(one.report["counts"][name] for name in ("created", "updated", "unchanged", "rejected"))


def rejected(web, one):
    """The rows that came back."""
    content = web.get(f"/imports/{one.pk}/rejected/").content
    return list(csv.DictReader(content.decode("utf-8-sig").splitlines()))


def accounts(web, files):
    one = send(web, "customers", files / "accounts.csv")
    said = {
        "account": "name",
        "sector": "industry",
        "regional_office": "region",
        "subsidiary_of": "parent",
        "office_location": "address",
    }
    return test_run(web, one, **columns(web, one, said))


def won_deals(web, files):
    one = send(web, "sales", files / "sales_pipeline.csv")
    said = {
        "opportunity_id": "contract_no",
        "account": "customer",
        "product": "product_line",
        "close_date": "signed_on",
        "close_value": "amount",
    }
    return test_run(web, one, **columns(web, one, said), only_header="deal_stage", only_words="Won")


def of_sales(means):
    return {("product_line", word): series for word, series in means.items()}


def test_a_misspelt_sector_is_named_by_row_and_mended(web, files):
    CustomerFactory(industry="technology")
    one = accounts(web, files)
    sectors = list(csv.DictReader((files / "accounts.csv").read_text(encoding="utf-8-sig").splitlines()))
    wrong = [number for number, account in enumerate(sectors, 2) if account["sector"] == "technolgy"]
    told = {new["word"]: new for new in web.get(f"/imports/{one.pk}/").context["new_words"]}
    assert (told["technolgy"]["like"], told["technolgy"]["rows"]) == ("technology", wrong)
    assert {word for word, new in told.items() if new["like"]} == {"technolgy"}
    one = test_run(web, one, **meanings(web, one, {("industry", "technolgy"): "technology"}))
    start(web, one)
    assert Customer.objects.filter(industry="technology").count() == 1 + len(wrong)
    assert not Customer.objects.filter(industry="technolgy").exists()


def test_sales_with_a_misspelt_product_are_found_mended_imported_twice_and_undone(web, files):
    customers = accounts(web, files)
    assert counts(customers) == (85, 0, 0, 0)
    start(web, customers)

    one = won_deals(web, files)
    assert counts(one) == (0, 0, 0, 4238)
    known = of_sales({product: series for product, (series, _price) in SERIES.items()})
    one = test_run(web, one, **meanings(web, one, known))
    if any(error["cell"] in SERIES for error in one.report["errors"]):
        one = test_run(web, one, **meanings(web, one, known))
    found = rejected(web, one)
    assert {row["product"] for row in found} == {"GTXPro"}
    assert counts(one) == (4238 - len(found), 0, 0, len(found))
    assert {error["cell"] for error in one.report["errors"]} == {"GTXPro"}
    one = test_run(web, one, **meanings(web, one, of_sales({"GTXPro": "GTX"})))
    assert counts(one) == (4238, 0, 0, 0)
    start(web, one)
    assert Sale.objects.filter(deleted_at=None).count() == 4238

    again = send(web, "sales", files / "sales_pipeline.csv")
    again = test_run(web, again)
    assert counts(again) == (0, 0, 4238, 0)

    assert CustomerLine.objects.filter(is_active=True).exists()
    assert web.post(f"/imports/{one.pk}/undo/").status_code == 302
    assert worked(one).state == ImportState.UNDONE
    assert not Sale.objects.filter(deleted_at=None).exists()
    web.post(f"/imports/{customers.pk}/undo/")
    assert worked(customers).state == ImportState.UNDONE, customers.report["undo"]
    assert not Customer.objects.filter(deleted_at=None).exists()


def test_open_deals_without_an_account_are_named_by_their_row(web, files):
    start(web, accounts(web, files))
    one = send(web, "assessments", files / "sales_pipeline.csv")
    price = {("potential_sales", word): price for word, (_series, price) in SERIES.items()}
    series = {("product_line", word): line for word, (line, _price) in SERIES.items()}
    misspelt = {("potential_sales", "GTXPro"): "4821", ("product_line", "GTXPro"): "GTX"}
    answers = columns(web, one, {"account": "customer", "product": "product_line"}) | {
        "also_potential_sales": "product",
        "constant_fiscal_year": "2018",
        "constant_expected_margin": "30",
        "constant_has_need": "yes",
        "constant_budget_state": "confirmed",
        "constant_budget_fits_pricing": "yes",
        "constant_has_timetable": "yes",
        "constant_knows_decision_makers": "yes",
        "constant_expected_close_on": "2018-06-30",
        "only_header": "deal_stage",
        "only_words": "Prospecting, Engaging",
        "sums": ["potential_sales"],
    }
    one = test_run(web, one, **answers)
    for _again in range(3):
        if any(error["cell"] for error in one.report["errors"]):
            one = test_run(web, one, **meanings(web, one, price | series | misspelt))
    assert counts(one) == (172, 0, 0, 1425)
    assert one.report["combined"] == 492
    deals = list(csv.DictReader((files / "sales_pipeline.csv").read_text(encoding="utf-8-sig").splitlines()))
    open_stages = ("Prospecting", "Engaging")
    nameless = [
        number for number, deal in enumerate(deals, 2) if not deal["account"] and deal["deal_stage"] in open_stages
    ]
    told = [error["row"] for error in one.report["errors"]]
    assert told == nameless[: len(told)]
    assert Counter(row["account"] for row in rejected(web, one)) == {"": 1425}
    start(web, one)
    assert Assessment.objects.count() == 172
    again = test_run(web, send(web, "assessments", files / "sales_pipeline.csv"))
    assert counts(again) == (0, 0, 172, 1425)
    assert web.post(f"/imports/{one.pk}/undo/").status_code == 302
    assert worked(one).state == ImportState.UNDONE
