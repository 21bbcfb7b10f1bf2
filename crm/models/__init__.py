"""What every app speaks about, one file per noun."""

from crm.models.api_token import SCOPES, ApiToken
from crm.models.change import Change, Way
from crm.models.customer import (
    Contact,
    Customer,
    CustomerKind,
    CustomerLine,
    CustomerRegion,
    GradeLetter,
    GradeState,
    LineMember,
    lines_visible_to,
)
from crm.models.data_import import APPLIED_STATES, OPEN_STATES, DataImport, ImportMode, ImportState
from crm.models.division import Division
from crm.models.export import AUDITORS, Export, ExportFormat
from crm.models.idempotent_answer import IdempotentAnswer
from crm.models.job import ACTIVE_STATES, Job, JobState
from crm.models.policy import PolicyState, PolicyVersion, PolicyVersionQuerySet
from crm.models.product_line import ProductLine
from crm.models.region import Branch, Department, Region
from crm.models.sale import Sale
from crm.models.stored_file import StoredFile
from crm.models.transaction_number import TransactionNumber
from crm.models.user import Role, User

__all__ = [
    "ACTIVE_STATES",
    "APPLIED_STATES",
    "AUDITORS",
    "OPEN_STATES",
    "SCOPES",
    "ApiToken",
    "Branch",
    "Change",
    "Contact",
    "Customer",
    "CustomerKind",
    "CustomerLine",
    "CustomerRegion",
    "DataImport",
    "Department",
    "Division",
    "Export",
    "ExportFormat",
    "GradeLetter",
    "GradeState",
    "IdempotentAnswer",
    "ImportMode",
    "ImportState",
    "Job",
    "JobState",
    "LineMember",
    "PolicyState",
    "PolicyVersion",
    "PolicyVersionQuerySet",
    "ProductLine",
    "Region",
    "Role",
    "Sale",
    "StoredFile",
    "TransactionNumber",
    "User",
    "Way",
    "lines_visible_to",
]
