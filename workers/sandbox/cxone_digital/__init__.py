"""NICE CXone as its published Digital Engagement API describes it: customers' custom fields."""

from __future__ import annotations

from workers.sandbox.cxone_digital import custom_fields, customers, definitions

ROUTES = (*definitions.ROUTES, *customers.ROUTES, *custom_fields.ROUTES)
