"""A company of two regions, every text of which bears its region's mark; one person of each role, all of the north."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import uuid4

from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from crm.actions.contacts import save_contact
from crm.actions.customers import add_line, save_customer
from crm.actions.exports import Wish, listed_by_name, log_export, scope_in_words
from crm.actions.import_reading import shape_of
from crm.actions.lines import save_line, save_member
from crm.actions.sales import save_sale
from crm.actions.tokens import issue_token
from crm.models import (
    ApiToken,
    Branch,
    BulkChange,
    Change,
    CompanyAccount,
    Contact,
    Customer,
    CustomerLine,
    CustomerRegion,
    DataImport,
    Department,
    Division,
    Export,
    Job,
    JobState,
    LineMember,
    ProductLine,
    Region,
    Role,
    Sale,
    SecurityEvent,
    StoredFile,
    User,
)
from crm.models.user import ALL_REGIONS, OF_A_REGION
from grading.actions.assessments import save_assessment
from grading.actions.policies import draft_next_version
from grading.actions.records import regrade_lines
from grading.models import Assessment, Cause, CycleState, Grade, GradeRecord, GradingPolicy, GradingRun, RunState
from tests.factories import (
    AssessmentFactory,
    BranchFactory,
    ContactFactory,
    CustomerFactory,
    CycleFactory,
    LineMemberFactory,
    RegionFactory,
    SaleFactory,
    UserFactory,
)

NORTH, SOUTH, GONE = "NORDMARK", "SUEDMARK", "TOTMARK"
YEAR, NEXT_YEAR = 2026, 2027
PLACED = OF_A_REGION | {Role.BRANCH_GM}
NOWHERE = 999_999_999
# The same headers in every file, so that a mapping that somebody remembers is offered to the next.
HEADERS = "客户编码,客户名称,大区,分公司,上级单位,统一社会信用代码,备注"


@dataclass
class Held:
    """A customer with one of everything that hangs on it."""

    customer: Customer
    contact: Contact
    line: CustomerLine
    member: LineMember
    sale: Sale
    assessment: Assessment
    grade: Grade

    @property
    def record(self) -> GradeRecord:
        return GradeRecord.objects.get(pk=self.grade.record_id)

    @property
    def change(self) -> Change:
        return Change.objects.filter(table="crm_customer", object_id=self.customer.pk, is_tombstone=False).latest("pk")


@dataclass
class Left:
    """What a person has made: an import, an export with its file, a token, a bulk change that waits."""

    data_import: DataImport
    export: Export
    token: ApiToken
    bulk_change: BulkChange


@dataclass
class Side:
    """A region with its people and records; `own` is served by every person of the matrix, `unserved` by nobody."""

    mark: str
    region: Region
    branch: Branch
    other_branch: Branch
    staff: User
    seller: User
    own: Held
    unserved: Held
    left: Left


@dataclass
class Company:
    """Both regions, who looks at them, and what is no region's."""

    north: Side
    south: Side
    head: User
    beside: Held  # another product line of the north's own customer, served by nobody
    moved: Held  # from the north to the south, this morning
    deleted: Held  # of the north
    moved_person: User
    gone_person: User  # of the north, switched off
    run: GradingRun
    draft: GradingPolicy
    people: dict[str, User] = field(default_factory=dict)
    left: dict[str, Left] = field(default_factory=dict)


def found(*, is_many_people: bool = True, with_moved: bool = True) -> Company:
    """Found the company; `is_many_people` False has only those of the north who see a part of it."""
    head = UserFactory(username="chief", name="总部")
    CycleFactory(fiscal_year=YEAR, state=CycleState.PUBLISHED, published_at=timezone.now(), opened_at=timezone.now())
    CycleFactory(fiscal_year=NEXT_YEAR, state=CycleState.OPEN, opened_at=timezone.now())
    north, south = _side(NORTH, "north", head), _side(SOUTH, "south", head)
    _tie(north, south)
    company = Company(
        north=north,
        south=south,
        head=head,
        beside=_beside(north),
        moved=_moved(north, south, head) if with_moved else north.own,
        deleted=_deleted(north, head),
        moved_person=UserFactory(
            username="wanderer", name=f"{SOUTH}调岗", role=Role.SALES_MANAGER, region=south.region
        ),
        gone_person=UserFactory(
            username="leaver", name=f"{NORTH}离职", role=Role.SALES_MANAGER, region=north.region, is_active=False
        ),
        run=_run(head),
        draft=draft_next_version(policy=GradingPolicy.objects.get(number=1), by=head),
    )
    _add_people(company, [role for role in Role if is_many_people or role in PLACED])
    return company


def _side(mark: str, code: str, head: User) -> Side:
    region = RegionFactory(code=code, name=f"{mark}大区", name_en=f"{mark} region")
    branch, other = (
        BranchFactory(code=f"{code}-{place}", name=f"{mark}分{place}", name_en=f"{mark} {place}", region=region)
        for place in ("first", "second")
    )
    staff = UserFactory(
        username=f"{code}-staff", name=f"{mark}内勤", role=Role.REGIONAL_STAFF, region=region, email=f"{mark}@x.cn"
    )
    seller = UserFactory(
        username=f"{code}-seller", name=f"{mark}销售", role=Role.SALES_MANAGER, region=region, guided_by=staff
    )
    own, unserved = _held(mark, "A", region, branch, seller), _held(mark, "B", region, other, seller)
    return Side(mark, region, branch, other, staff, seller, own, unserved, leave(staff, mark))


def _held(mark: str, letter: str, region: Region, branch: Branch, seller: User) -> Held:
    """Made by the actions, so that the change log tells of it, in the mark's own words."""
    number = (10 if mark == NORTH else 50) + "ABCDE".index(letter)  # so that sums differ too
    customer = CustomerFactory.build(
        code=f"{mark}-{letter}",
        name=f"{mark}{letter}市公安局",
        short_name=f"{mark}{letter}局",
        credit_code=f"{number}{mark}{letter}".ljust(18, "0"),
        industry=f"{mark}行业",
        address=f"{mark}路{number}号",
        website=f"https://{mark.lower()}{letter.lower()}.example.cn",
        note=f"{mark}备注",
        region=region,
        branch=branch,
    )
    staff = User.objects.filter(region=region, role=Role.REGIONAL_STAFF).first()
    police = ProductLine.objects.get(code="police")
    save_customer(customer=customer, version=0, by=staff, product_lines=[police], reason=f"{mark}理由")
    line = CustomerLine.objects.get(customer=customer)
    line.lead = seller
    save_line(line=line, by=staff)
    contact = ContactFactory.build(
        customer=customer,
        name=f"{mark}{letter}联系人",
        department=f"{mark}处",
        title=f"{mark}处长",
        phone=f"{mark}-138",
        email=f"{mark}{letter}@example.cn",
        note=f"{mark}喜好",
        is_key_person=True,
    )
    save_contact(contact=contact, version=0, by=staff)
    member = LineMember(line=line, user=staff, why=f"{mark}缘由", from_on=date(2026, 1, 5))
    save_member(member=member, by=staff)
    sale = SaleFactory.build(line=line, contract_no=f"{mark}-HT-{letter}", note=f"{mark}合同")
    save_sale(sale=sale, version=0, by=staff)
    assessment = AssessmentFactory.build(line=line, note=f"{mark}评估", potential_sales=number * 1_000_000_00)
    save_assessment(assessment=assessment, version=0, by=staff)
    AssessmentFactory(line=line, fiscal_year=NEXT_YEAR, is_carried_over=True, note=f"{mark}结转")
    regrade_lines(line_ids=[line.pk], fiscal_year=YEAR, cause=Cause.RUN, by=staff, as_of=date(YEAR, 1, 1))
    line.refresh_from_db()
    return Held(customer, contact, line, member, sale, assessment, Grade.objects.get(line=line, fiscal_year=YEAR))


def _beside(side: Side) -> Held:
    """A second line of the own customer: who serves the first sees it and may not write it."""
    own, mark = side.own, side.mark
    line = add_line(customer=own.customer, product_line=ProductLine.objects.get(code="emergency"), by=side.staff)
    sale = SaleFactory(line=line, contract_no=f"{mark}-HT-beside", note=f"{mark}合同")
    assessment = AssessmentFactory(line=line, note=f"{mark}评估")
    regrade_lines(line_ids=[line.pk], fiscal_year=YEAR, cause=Cause.RUN, by=side.staff, as_of=date(YEAR, 1, 1))
    member = LineMemberFactory(line=line, user=side.staff, why=f"{mark}缘由")
    grade = Grade.objects.get(line=line, fiscal_year=YEAR)
    return Held(own.customer, own.contact, line, member, sale, assessment, grade)


def _tie(north: Side, south: Side) -> None:
    """Links across the border, which nobody of one side may see the end of."""
    for here, there in ((north, south), (south, north)):
        here.own.customer.parent = there.unserved.customer
        here.own.customer.save()
        here.unserved.line.lead = there.seller
        here.unserved.line.save()


def _moved(north: Side, south: Side, head: User) -> Held:
    held = _held(SOUTH, "C", north.region, north.branch, north.seller)
    held.customer.region, held.customer.branch = south.region, south.branch
    save_customer(customer=held.customer, version=held.customer.version, by=head)
    return held


def _deleted(north: Side, head: User) -> Held:
    ContactFactory(customer=north.own.customer, name=f"{GONE}联系人", deleted_at=timezone.now())
    SaleFactory(line=north.own.line, contract_no=f"{GONE}-HT", deleted_at=timezone.now())
    AssessmentFactory(line=north.own.line, fiscal_year=YEAR - 1, note=f"{GONE}评估", deleted_at=timezone.now())
    held = _held(GONE, "D", north.region, north.branch, north.seller)
    for record in (held.customer, held.contact, held.sale, held.assessment):
        record.deleted_at = timezone.now()
        record.save()
    return held


def _run(head: User) -> GradingRun:
    cycle = CycleFactory(fiscal_year=YEAR)
    now = timezone.now()
    job = Job.objects.create(
        kind="grade-year", key=str(YEAR), state=JobState.DONE, done=7, total=7, created_at=now, heartbeat_at=now,
        finished_at=now, by=head,
    )  # fmt: skip
    return GradingRun.objects.create(
        cycle=cycle, policy=GradingPolicy.objects.get(number=1), as_of=date(YEAR, 1, 1), state=RunState.DONE, job=job,
        by=head, started_at=now, finished_at=now,
    )  # fmt: skip


def _add_people(company: Company, roles: list[Role]) -> None:
    for role in roles:
        place: dict[str, Any] = {}
        if role in PLACED:
            place = {"region": company.north.region}
        if role == Role.BRANCH_GM:
            place |= {"branch": company.north.branch}
        person = UserFactory(username=f"n-{role.value}", name=f"{NORTH}{role.value}", role=role, **place)
        if role not in ALL_REGIONS and role != Role.ADMINISTRATOR:
            for held in (company.north.own, company.deleted):
                LineMemberFactory(line=held.line, user=person, why="serves")
            if company.moved is not company.north.own:
                LineMemberFactory(line=company.moved.line, user=person, why="serves", until_on=date(2026, 3, 1))
        company.people[role.value] = person
        company.left[role.value] = leave(person, NORTH)


def leave(person: User, mark: str) -> Left:
    """An import with a mapping, an export with its file, a token, a bulk change of a person; all bearing the mark."""
    return Left(_import(person, mark), _export(person, mark), _token(person, mark), _bulk_change(person, mark))


def _import(person: User, mark: str) -> DataImport:
    now = timezone.now()
    file = StoredFile.objects.create(
        name=f"{mark}客户.csv",
        media_type="text/csv",
        size=9,
        content=f"{HEADERS}\n{mark}-Z".encode(),
        by=person,
        at=now,
    )
    job = Job.objects.create(
        kind="import", key=f"{uuid4()}", state=JobState.DONE, created_at=now, heartbeat_at=now, finished_at=now,
        by=person, error=f"{mark}出错",
    )  # fmt: skip
    return DataImport.objects.create(
        kind="customers",
        file=file,
        rejected_file=StoredFile.objects.create(
            name=f"{mark}退回.csv", media_type="text/csv", size=9, content=f"{mark}退回".encode(), by=person, at=now
        ),
        mapping={
            "kind": "customers",
            "columns": {
                "code": {"header": "客户编码"},
                "name": {"header": "客户名称", "values": {f"{mark}旧称": f"{mark}新称"}},
                "region": {"header": "大区"},
                "industry": {"constant": f"{mark}行业"},
            },
        },
        shape=shape_of(HEADERS.split(",") if mark == SOUTH else ["客户编码"]),
        state="done",
        job=job,
        report={
            "counts": {"created": 1, "updated": 0, "unchanged": 0, "rejected": 1},
            "errors": [{"row": 2, "column": "客户名称", "cell": f"{mark}格", "reason": f"{mark}原因"}],
            "near_duplicates": [{"row": 2, "name": f"{mark}近", "customer": 1, "its_name": f"{mark}似", "score": 0.9}],
            "near_duplicate_count": 1,
        },
        batch=uuid4(),
        by=person,
        created_at=now,
        finished_at=now,
    )


def _export(person: User, mark: str) -> Export:
    now = timezone.now()
    job = Job.objects.create(
        kind="export",
        key=f"{uuid4()}",
        state=JobState.DONE,
        created_at=now,
        heartbeat_at=now,
        finished_at=now,
        by=person,
    )
    wish = Wish(listed_by_name()["customers"], QueryDict(f"search={mark}"), "csv", "en", person)
    export = log_export(wish=wish, rows=3, job=job)
    export.file = StoredFile.objects.create(
        name=f"{mark}.csv", media_type="text/csv", size=9, content=f"{mark}文件".encode(), by=person, at=now
    )
    export.scope = scope_in_words(person)
    export.save()
    return export


def _bulk_change(person: User, mark: str) -> BulkChange:
    """Of all customers of the mark, those that the person does not see among them; not confirmed yet."""
    customers = Customer.objects.filter(code__startswith=mark).order_by("pk")
    numbers = [customer.pk for customer in customers]
    return BulkChange.objects.create(
        kind="customers",
        query=f"search={mark}",
        chosen=[[customer.pk, customer.version] for customer in customers],
        size=len(numbers),
        field="industry",
        value=f"{mark}新行业",
        version=1,
        state="shown",
        report={"already": 0, "examples": numbers, "shared": {}},
        by=person,
        created_at=timezone.now(),
    )


def _token(person: User, mark: str) -> ApiToken:
    issue_token(user=person, scopes=["read"], name=f"{mark}令牌")
    return ApiToken.objects.get(user=person)


# --- which record a cell of the matrix names

SITUATIONS = ("own", "beside", "unserved", "other", "moved", "deleted", "absent")


@dataclass(frozen=True)
class Kind:
    """A kind of record: which one is meant in each situation, and for whom each exists.

    `exists` is said again here in the words of DOMAIN §9, so that a scope which is taken out of the code fails.
    """

    model: type[Model]
    pick: Callable[[Company, User, str], Any]  # None: there is no such situation
    exists: Callable[[User, str], bool]
    name: Callable[[Any], Any] = lambda record: record.pk

    def named(self, company: Company, person: User, situation: str) -> Any:
        """How an address names the record; None where the kind knows no such situation."""
        if situation == "absent":
            return NOWHERE
        record = self.pick(company, person, situation)
        return None if record is None else self.name(record)


def held(company: Company, situation: str) -> Held:
    return {
        "own": company.north.own,
        "beside": company.beside,
        "unserved": company.north.unserved,
        "other": company.south.own,
        "moved": company.moved,
        "deleted": company.deleted,
    }[situation]


def _of_customer(attribute: str) -> Callable[[Company, User, str], Any]:
    return lambda company, person, situation: getattr(held(company, situation), attribute)


def may_write(person: User, kind: str, situation: str) -> bool:
    """Of what exists: head office and a region's staff all, a branch's manager its customers, others their lines."""
    if situation != "beside" or kind not in ("line", "sale", "assessment"):
        return True
    return person.role in ALL_REGIONS | {Role.REGIONAL_GM, Role.REGIONAL_STAFF, Role.BRANCH_GM}


def customer_exists(person: User, situation: str) -> bool:
    """Administrators see none; head office all; a region's staff its own; the others whom they serve."""
    if person.role == Role.ADMINISTRATOR or situation in ("deleted", "absent"):
        return False
    if person.role in ALL_REGIONS or situation in ("own", "beside"):
        return True
    return situation == "unserved" and person.role in (Role.REGIONAL_GM, Role.REGIONAL_STAFF)


def change_exists(person: User, situation: str) -> bool:
    """The log of a deleted customer stays for head office."""
    if situation == "deleted":
        return person.role in ALL_REGIONS
    return customer_exists(person, situation)


def person_exists(person: User, situation: str) -> bool:
    """Head office and administrators see everyone, others head office and their own region; who left is still known."""
    if situation == "absent":
        return False
    everywhere = person.role in ALL_REGIONS | {Role.ADMINISTRATOR}
    return everywhere or (person.role in PLACED and situation in ("own", "deleted"))


def place_exists(person: User, situation: str) -> bool:
    return person_exists(person, situation)


def everyones(person: User, situation: str) -> bool:
    return situation == "own"


def _pick_person(company: Company, person: User, situation: str) -> Any:
    return {
        "own": company.north.seller,
        "other": company.south.seller,
        "moved": company.moved_person,
        "deleted": company.gone_person,
    }.get(situation)


def _pick_region(company: Company, person: User, situation: str) -> Any:
    return {"own": company.north.region, "other": company.south.region}.get(situation)


def _pick_branch(company: Company, person: User, situation: str) -> Any:
    return {"own": company.north.branch, "other": company.south.branch}.get(situation)


def _pick_left(attribute: str) -> Callable[[Company, User, str], Any]:
    def pick(company: Company, person: User, situation: str) -> Any:
        left = {
            "own": company.left.get(person.role, company.north.left),
            "unserved": company.north.left,
            "other": company.south.left,
        }.get(situation)
        return left and getattr(left, attribute)

    return pick


def _only(choose: Callable[[Company], Any]) -> Callable[[Company, User, str], Any]:
    return lambda company, person, situation: choose(company) if situation == "own" else None


KINDS = {
    "customer": Kind(Customer, _of_customer("customer"), customer_exists),
    "contact": Kind(Contact, _of_customer("contact"), customer_exists),
    "line": Kind(CustomerLine, _of_customer("line"), customer_exists),
    "member": Kind(LineMember, _of_customer("member"), customer_exists),
    "sale": Kind(Sale, _of_customer("sale"), customer_exists),
    "assessment": Kind(Assessment, _of_customer("assessment"), customer_exists),
    "grade": Kind(Grade, _of_customer("grade"), customer_exists),
    "record": Kind(GradeRecord, _of_customer("record"), customer_exists),
    "change": Kind(Change, _of_customer("change"), change_exists),
    "person": Kind(User, _pick_person, person_exists),
    "kept person": Kind(  # whoever keeps people looks after their sessions and delegations
        User,
        _pick_person,
        lambda person, situation: situation != "absent" and person.role in (Role.SALES_MANAGEMENT, Role.ADMINISTRATOR),
    ),
    "security event": Kind(SecurityEvent, lambda company, person, situation: None, everyones),
    "company account": Kind(CompanyAccount, lambda company, person, situation: None, everyones),
    "region": Kind(Region, _pick_region, place_exists),
    "branch": Kind(Branch, _pick_branch, place_exists),
    "import": Kind(
        DataImport,
        _pick_left("data_import"),
        lambda person, situation: (
            situation != "absent" and (situation == "own" or person.role == Role.SALES_MANAGEMENT)
        ),
    ),
    "own export": Kind(Export, _pick_left("export"), everyones),
    "own bulk change": Kind(BulkChange, _pick_left("bulk_change"), everyones),
    "own token": Kind(ApiToken, _pick_left("token"), everyones, name=lambda token: token.number),
    "export": Kind(Export, _pick_left("export"), lambda person, situation: situation != "absent"),  # of the auditors
    "token": Kind(
        ApiToken, _pick_left("token"), lambda person, situation: situation != "absent", name=lambda one: one.digest
    ),
    "job": Kind(Job, lambda company, person, situation: company.run.job if situation == "own" else None, everyones),
    "run": Kind(GradingRun, _only(lambda company: company.run), everyones),
    "run with figures": Kind(  # a run counts the whole company
        GradingRun,
        _only(lambda company: company.run),
        lambda person, situation: situation == "own" and person.role in ALL_REGIONS,
    ),
    "cycle": Kind(GradingRun, _only(lambda company: company.run.cycle), everyones),
    "year": Kind(GradingRun, _only(lambda company: company.run.cycle), everyones, name=lambda one: one.fiscal_year),
    "policy": Kind(GradingPolicy, _only(lambda company: company.run.policy), everyones),
    "policy number": Kind(
        GradingPolicy,
        lambda company, person, situation: {"own": company.run.policy, "unserved": company.draft}.get(situation),
        lambda person, situation: situation == "own" or (situation == "unserved" and person.role == "sales_management"),
        name=lambda policy: policy.number,
    ),
    "department": Kind(Department, _only(lambda company: Department.objects.first()), everyones),
    "division": Kind(Division, _only(lambda company: Division.objects.first()), everyones),
    "product line": Kind(ProductLine, _only(lambda company: ProductLine.objects.first()), everyones),
}


# --- the company without its south


def forget_the_south(company: Company) -> None:
    """Take every row of the other region out of the database, as if it had never been there."""
    region = company.south.region
    people, customers = User.objects.filter(region=region), Customer.objects.filter(region=region)
    Customer.objects.filter(parent__in=customers).update(parent=None)
    CustomerLine.objects.filter(lead__in=people).update(lead=None)
    imports, exports = DataImport.objects.filter(by__in=people), Export.objects.filter(by__in=people)
    jobs = list(imports.values_list("job", flat=True)) + list(exports.values_list("job", flat=True))
    _forget(
        Change.objects.filter(Q(region=region) | Q(by__in=people)),
        Change.objects.filter(table="crm_user", object_id__in=people.values("pk")),
        LineMember.objects.filter(user__in=people),
    )
    forget_customers(customers)
    _forget(
        CustomerRegion.objects.filter(region=region),
        imports,
        exports,
        BulkChange.objects.filter(by__in=people),
        Job.objects.filter(pk__in=jobs),
        StoredFile.objects.filter(by__in=people),
        ApiToken.objects.filter(user__in=people),
        people,
        Branch.objects.filter(region=region),
        Region.objects.filter(pk=region.pk),
    )


def forget_customers(customers: QuerySet) -> None:
    """Take customers out with all that hangs on them."""
    lines = CustomerLine.objects.filter(customer__in=customers)
    _forget(
        Change.objects.filter(customer__in=customers),
        GradeRecord.objects.filter(grade__line__in=lines),
        Grade.objects.filter(line__in=lines),
        Assessment.objects.filter(line__in=lines),
        Sale.objects.filter(line__in=lines),
        LineMember.objects.filter(line__in=lines),
        lines,
        Contact.objects.filter(customer__in=customers),
        CustomerRegion.objects.filter(customer__in=customers),
        customers,
    )


def _forget(*rows: QuerySet) -> None:
    for some in rows:
        some._raw_delete(some.db)
