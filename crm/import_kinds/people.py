"""Importing people, found by user name. Passwords never come from a file: a new person cannot sign in yet."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.actions.import_rows import Column, Kind, Occasion, Row
from crm.actions.places import note_places
from crm.actions.references import by_word, closed_by_undo
from crm.actions.sessions import end_access, ends_access
from crm.actions.ties import Move, end_ties_of_people
from crm.actions.tokens import revoke_tokens_of
from crm.import_kinds.shared import AT_ONCE, called, labelled, said, streamed, written, yes_or_no
from crm.lib.batches import batches
from crm.lib.bulk import update_all
from crm.lib.cells import text, yes_no
from crm.models import Branch, CustomerLine, Department, LineMember, Region, Role, User, Way
from crm.models.user import OF_A_REGION
from crm.permissions import ROLES, Permission

_ROLES = {
    **{role.value: role.value for role in Role},
    **{role.value.replace("_", " "): role.value for role in Role},
    "高管": Role.EXECUTIVE.value,
    "公司领导": Role.EXECUTIVE.value,
    "销售管理部": Role.SALES_MANAGEMENT.value,
    "销售管理": Role.SALES_MANAGEMENT.value,
    "技术服务部": Role.TECH_SERVICE.value,
    "技术服务": Role.TECH_SERVICE.value,
    "市场部": Role.MARKETING.value,
    "市场": Role.MARKETING.value,
    "服务部": Role.SERVICE.value,
    "大区总经理": Role.REGIONAL_GM.value,
    "大区总": Role.REGIONAL_GM.value,
    "大区员工": Role.REGIONAL_STAFF.value,
    "分公司总经理": Role.BRANCH_GM.value,
    "分公司总": Role.BRANCH_GM.value,
    "高级销售经理": Role.SENIOR_SALES_MANAGER.value,
    "客户经理": Role.ACCOUNT_MANAGER.value,
    "销售经理": Role.SALES_MANAGER.value,
    "客户总监": Role.ACCOUNT_DIRECTOR.value,
    "总监": Role.DIRECTOR.value,
    "顾问": Role.CONSULTANT.value,
    "实施经理": Role.IMPLEMENTATION_MANAGER.value,
    "系统管理员": Role.ADMINISTRATOR.value,
    "管理员": Role.ADMINISTRATOR.value,
}
_OWN_FIELDS = ("username", "name", "role", "email", "is_active")
_PLACES = (("region", Region), ("branch", Branch), ("department", Department))


def match_people(rows: Sequence[Row], user: User | None) -> None:
    """Find each row's person by user name, whatever its case."""
    named = [row for row in rows if "username" in row.values]
    stored = {one.username.lower(): one for one in _stored([row.values["username"] for row in named])}
    back = closed_by_undo(User, [one.pk for one in stored.values() if not one.is_active])
    for row in rows:
        row.fields = {name: row.values[name] for name in _OWN_FIELDS if name in row.values}
    for row in named:
        row.key = row.values["username"].lower()
        row.record = stored.get(row.key)
        if row.record is not None:
            row.fields["username"] = row.record.username
            row.fields |= {"is_active": True} if row.record.pk in back and "is_active" not in row.values else {}
        elif "role" not in row.values and not row.is_wrong("role"):
            row.reject(_("a new person needs a role"), "role")
    _match_places(rows)
    _match_guides(rows)
    for row in [row for row in named if not row.is_wrong("role", "region", "branch")]:
        _check_place(row)
        _refuse_lock_out(row, user)


def _stored(usernames: Sequence[str]) -> Iterator[User]:
    everyone = dict(User.objects.values_list("username", "pk"))
    by_lower = {username.lower(): pk for username, pk in everyone.items()}
    wanted = {by_lower[name.lower()] for name in usernames if name.lower() in by_lower}
    for some in batches(sorted(wanted), AT_ONCE):
        yield from User.objects.filter(pk__in=some).select_for_update()


def _match_places(rows: Sequence[Row]) -> None:
    for name, model in _PLACES:
        known = by_word(model._default_manager.all())
        for row in rows:
            word = row.values.get(name, "")
            if word and word.lower() not in known:
                row.reject(known.why_not(called(User, name), word), name)
            elif word:
                row.fields[name] = known[word.lower()]


def _match_guides(rows: Sequence[Row]) -> None:
    """Who guides a person stands in the database or in the same file."""
    words = {row.values["guided_by"] for row in rows if row.values.get("guided_by")}
    stored = {one.username.lower(): one for one in _stored(sorted(words))}
    named = [row for row in reversed(rows) if row.key]  # of two rows of one person the first good one counts
    in_file = {row.key: row for row in named} | {row.key: row for row in named if not row.faults}
    for row in [row for row in rows if row.values.get("guided_by")]:
        word = row.values["guided_by"].lower()
        if word in stored:
            row.fields["guided_by"] = stored[word]
        elif word in in_file and in_file[word] is not row:
            row.extra["guided_by"], row.is_touched = in_file[word], True
        else:
            row.reject(_("there is no person “{word}”").format(word=row.values["guided_by"]), "guided_by")
    refuse_unguided(rows)


def refuse_unguided(rows: Sequence[Row]) -> None:
    """A row whose guide is rejected is rejected too, and so on."""
    while lost := [
        row for row in rows if not row.faults and "guided_by" in row.extra and row.extra["guided_by"].faults
    ]:
        for row in lost:
            number = row.extra["guided_by"].number
            row.reject(_("the person of row {number} is rejected").format(number=number), "guided_by")


def _check_place(row: Row) -> None:
    """What belongs together, as the forms check it."""
    role, region, branch = (_becomes(row, name) for name in ("role", "region", "branch"))
    if role in OF_A_REGION and region is None:
        row.reject(_("This role belongs to a region: choose it."), "region")
    if role == Role.BRANCH_GM and branch is None:
        row.reject(_("This role belongs to a branch office: choose it."), "branch")
    if branch is not None and (region is None or branch.region_id != region.pk):
        row.reject(_("This branch office belongs to another region."), "branch")


def _becomes(row: Row, name: str) -> Any:
    if name in row.emptied:
        return None
    return row.fields[name] if name in row.fields else getattr(row.record, name, None)


def _refuse_lock_out(row: Row, user: User | None) -> None:
    keeps = Permission.EDIT_USERS in ROLES[Role(_becomes(row, "role"))] and _becomes(row, "is_active") is not False
    if user is not None and row.record == user and not keeps:
        row.reject(_("You cannot take your own access to people away. Ask a colleague who has it too."))


def give_no_password(person: User) -> None:
    """A new person gets no password that works."""
    if person.pk is None:
        person.set_unusable_password()


def settle_people(rows: Sequence[Row], occasion: Occasion) -> None:
    """Who guides a person of the same file; where people are from today on; who must sign in again."""
    guided = [row for row in rows if "guided_by" in row.extra]
    for row in guided:
        row.record.guided_by = row.extra["guided_by"].record
    update_all(User, [row.record for row in guided], ["guided_by"])
    note_places([row.record for row in rows if row.before is None or _is_moved(row.record, row.before)])
    _end_ties(rows, occasion)
    changed = [row.record for row in rows if row.before is not None and ends_access(row.before, row.record)]
    for person in changed:
        person.session_version += 1
    update_all(User, changed, ["session_version"])
    revoke_tokens_of(changed, by=occasion.by, way=Way.IMPORT)


def restore_people(rows: Sequence[Row], occasion: Occasion) -> None:
    """People who got an earlier role or place back are there from today on, and must sign in again."""
    known = [row for row in rows if row.before is not None]
    note_places([row.record for row in known if _is_moved(row.record, row.before or {})])
    _end_ties(known, occasion)
    changed = [row.record for row in known if ends_access(row.before or {}, row.record)]
    end_access(users=changed, by=occasion.by, way=Way.IMPORT, batch=occasion.batch)


def _end_ties(rows: Sequence[Row], occasion: Occasion) -> None:
    """Who gets another region leads and sees customers of the old one no more."""
    moved = [row.record.pk for row in rows if row.before and row.before["region_id"] != row.record.region_id]
    end_ties_of_people(moved, Move(occasion.by, Way.IMPORT, batch=occasion.batch))


def _is_moved(person: User, before: Mapping[str, Any]) -> bool:
    return (before["region_id"], before["branch_id"]) != (person.region_id, person.branch_id)


def withdraw_person(person: User) -> None:
    """Nobody is deleted: a created person cannot sign in any more."""
    person.is_active = False


def people_at_work(people: Sequence[User]) -> Mapping[int, str]:
    """Created people who have signed in, or who lead or see customers: they cannot be taken back."""
    found = {person.pk: _("has signed in since") for person in people if person.last_login is not None}
    for some in batches([person.pk for person in people], AT_ONCE):
        busy = set(CustomerLine.objects.filter(lead__in=some).values_list("lead", flat=True))
        busy |= set(LineMember.objects.current().filter(Q(user__in=some)).values_list("user", flat=True))
        found |= dict.fromkeys(busy, _("has customers by now"))
    return found


def rows_of_people(user: User) -> Iterator[Sequence[Any]]:
    """The people that exist for a person."""
    seen = User.objects.visible_to(user).select_related("region", "branch", "department", "guided_by")
    for one in streamed(seen):
        yield (
            one.username,
            one.name,
            said(Role, one.role),
            one.region.code if one.region else None,
            one.branch.code if one.branch else None,
            one.department.code if one.department else None,
            one.guided_by.username if one.guided_by else None,
            one.email,
            yes_or_no(one.is_active),
        )


PEOPLE = Kind(
    name="people",
    model=User,
    permission=Permission.EDIT_USERS,
    columns=(
        Column(
            "username",
            text,
            ("用户名", "账号", "user name", "username"),
            True,
            gettext_lazy("The name to sign in with; it finds the person."),
        ),
        Column("name", written, ("姓名", "name")),
        Column("role", labelled(_ROLES, Role), ("角色", "role"), allowed=tuple(Role.labels)),
        Column("region", text, ("大区", "区域", "region")),
        Column("branch", text, ("分公司", "branch office", "branch")),
        Column("department", text, ("部门", "department")),
        Column("guided_by", text, ("指导人", "guided by")),
        Column("email", written, ("邮箱", "电子邮件", "e-mail", "email")),
        Column("is_active", yes_no, ("在职", "active", "works here")),
    ),
    match=match_people,
    check=refuse_unguided,
    derive=give_no_password,
    settle=settle_people,
    rows=rows_of_people,
    holds=people_at_work,
    withdraw=withdraw_person,
    restored=restore_people,
)
