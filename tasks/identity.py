"""Which customer a contact is: the identity map of a tenant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from tasks.errors import Rejected
from tasks.fields import is_identifier


def _fillable(template: str) -> str:
    try:
        template.format(contact_id="")
    except (LookupError, ValueError, AttributeError):
        raise ValueError("may hold {contact_id} and no other placeholder") from None
    return template


class IdentityRules(BaseModel):
    """How a contact's customer is found.

    It is the message's `customer_id`, else the contact's attribute `customer_id_attribute` (an
    external id), else `customer_id_template` with `{contact_id}` filled in. A contact without a
    customer is left alone (`skip`), its message parked (`park`), or its customer made (`create`),
    under the template's id where the attribute is missing. A target that is set to make customers
    makes those that it does not know whatever stands here.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    customer_id_attribute: str | None = None
    customer_id_template: Annotated[str, AfterValidator(_fillable)] = "{contact_id}"
    no_match: Literal["skip", "park", "create"] = "park"
    #: Whether a message that brings its values has its contact read: it may have been merged, and
    #: live on under another id.
    resolve_contacts: bool = True


def choose_customer(
    contact_id: str, attributes: Mapping[str, object], rules: IdentityRules
) -> str | None:
    """Return the id of the customer that the contact is, None where it has none.

    Raises `Rejected` for a contact without one where such messages are parked.
    """
    told = attributes.get(rules.customer_id_attribute or "")
    by_template = not rules.customer_id_attribute or (not told and rules.no_match == "create")
    chosen = rules.customer_id_template.format(contact_id=contact_id) if by_template else told
    if is_identifier(chosen):
        return chosen
    if rules.no_match == "skip":
        return None
    raise Rejected("customer_id: the message has none and the contact yields no valid one")
