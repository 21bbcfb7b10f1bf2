"""What every app speaks about, one file per noun."""

from crm.models.api_token import SCOPES, ApiToken
from crm.models.bulk_change import BULK_APPLIED, BULK_OPEN, BulkChange, BulkState
from crm.models.change import Change, Way
from crm.models.company_account import AccountProvider, CompanyAccount
from crm.models.contact import Contact
from crm.models.customer import (
    Customer,
    CustomerKind,
    CustomerLine,
    CustomerRegion,
    GradeLetter,
    GradeState,
    LineMember,
    of_customers_visible_to,
)
from crm.models.customer_merge import CustomerMerge
from crm.models.data_import import APPLIED_STATES, OPEN_STATES, DataImport, ImportMode, ImportState
from crm.models.delegation import Delegation
from crm.models.different_customers import DifferentCustomers
from crm.models.division import Division
from crm.models.export import AUDITORS, Export, ExportFormat
from crm.models.former_password import FormerPassword
from crm.models.idempotent_answer import IdempotentAnswer
from crm.models.job import ACTIVE_STATES, Job, JobState
from crm.models.open_session import OpenSession
from crm.models.place import BranchRegion, PersonPlace
from crm.models.policy import PolicyState, PolicyVersion, PolicyVersionQuerySet
from crm.models.product_line import ProductLine
from crm.models.region import Branch, Department, Region
from crm.models.sale import Sale
from crm.models.security_event import SecurityEvent, SecurityMatter, SignInWay
from crm.models.stored_file import StoredFile
from crm.models.transaction_number import TransactionNumber
from crm.models.user import Role, User, people_seen_by

__all__ = [
    "ACTIVE_STATES",
    "APPLIED_STATES",
    "AUDITORS",
    "BULK_APPLIED",
    "BULK_OPEN",
    "OPEN_STATES",
    "SCOPES",
    "AccountProvider",
    "ApiToken",
    "Branch",
    "BranchRegion",
    "BulkChange",
    "BulkState",
    "Change",
    "CompanyAccount",
    "Contact",
    "Customer",
    "CustomerKind",
    "CustomerLine",
    "CustomerMerge",
    "CustomerRegion",
    "DataImport",
    "Delegation",
    "Department",
    "DifferentCustomers",
    "Division",
    "Export",
    "ExportFormat",
    "FormerPassword",
    "GradeLetter",
    "GradeState",
    "IdempotentAnswer",
    "ImportMode",
    "ImportState",
    "Job",
    "JobState",
    "LineMember",
    "OpenSession",
    "PersonPlace",
    "PolicyState",
    "PolicyVersion",
    "PolicyVersionQuerySet",
    "ProductLine",
    "Region",
    "Role",
    "Sale",
    "SecurityEvent",
    "SecurityMatter",
    "SignInWay",
    "StoredFile",
    "TransactionNumber",
    "User",
    "Way",
    "of_customers_visible_to",
    "people_seen_by",
]
