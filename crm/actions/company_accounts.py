"""Accounts at the company's sign-in and the people here: linked by an administrator, or by an e-mail both know."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction

from crm.actions.changes import record_change, record_removal
from crm.actions.versions import lock_record
from crm.models import CompanyAccount, User, Way


@transaction.atomic
def save_company_account(*, account: CompanyAccount, by: User | None, way: Way = Way.FORM) -> None:
    """Save whose an account is."""
    before = lock_record(account)
    account.save()
    record_change(account, before=before, by=by, way=way)


@transaction.atomic
def remove_company_account(*, account: CompanyAccount, by: User, way: Way = Way.FORM) -> None:
    """Unlink an account: it opens nothing from then on."""
    record_removal(account, by=by, way=way)
    account.delete()


def person_of_company_account(*, provider: str, subjects: Sequence[str], email: str) -> User | None:
    """Whose account somebody has proved to be his; None where it is nobody's here.

    Linked accounts come first. An e-mail that the company vouches for links the one active person who has it, if no
    other account of that provider is his already. Nobody is ever made.
    """
    linked = CompanyAccount.objects.filter(provider=provider, subject__in=subjects).select_related("user")
    found: dict[int, User] = {account.user_id: account.user for account in linked}
    if found:
        return next(iter(found.values())) if len(found) == 1 else None
    return _link_by_email(provider, subjects[0], email) if email and subjects else None


def _link_by_email(provider: str, subject: str, email: str) -> User | None:
    people: list[User] = list(User.objects.filter(email__iexact=email, is_active=True)[:2])
    if len(people) != 1 or CompanyAccount.objects.filter(user=people[0], provider=provider).exists():
        return None
    account = CompanyAccount(user=people[0], provider=provider, subject=subject)
    try:
        save_company_account(account=account, by=people[0])
    except IntegrityError:  # linked meanwhile by a second click: the next sign-in finds it
        return None
    return people[0]
