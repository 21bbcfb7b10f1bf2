"""The kinds of records of this app that can be imported, in the order in which a company brings them in."""

from crm.import_kinds.contacts import CONTACTS
from crm.import_kinds.customers import CUSTOMERS
from crm.import_kinds.people import PEOPLE
from crm.import_kinds.reference import PRODUCT_LINES, REGIONS
from crm.import_kinds.sales import SALES

KINDS = (PEOPLE, CUSTOMERS, CONTACTS, SALES, REGIONS, PRODUCT_LINES)
