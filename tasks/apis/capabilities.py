"""What an API contract can do, declared: an operation is checked against it before its first call.

A use case never asks which contract it runs on. What a contract cannot do at all ends as
`unsupported`, by `Operation.check`; what it limits is a number here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """The abilities and limits of one contract; a limit of None is one that it does not state."""

    #: The contract's name, for sentences.
    contract: str
    #: Configurations belong to organisations, under a version (`If-Match`).
    organizations: bool
    #: Configurations are drafted, published and given to a deployment.
    deployments: bool
    #: The API itself copies a configuration to other organisations.
    replication: bool
    #: The API knows what people have consented to.
    consents: bool
    #: A contact that was merged lives on under another id, which a read of it tells.
    merges_contacts: bool
    #: A merge policy of the caller's own is carried out by the API.
    custom_merge_policy: bool
    #: The most sources of one merge.
    merge_sources: int
    #: The most distinct attributes of a merged profile.
    merged_attributes: int | None
    #: The most bytes of UTF-8 JSON that a participant's attributes may have, all together.
    attribute_bytes: int | None
    #: A change of attributes is accepted first, and done and seen a while later.
    accepts_attributes: bool
    #: What has to be switched on before anything can be redacted; empty where nothing has.
    redaction_off: str = ""


GUIDE = Capabilities(
    contract="guide",
    organizations=True,
    deployments=False,
    replication=True,
    consents=True,
    merges_contacts=False,
    custom_merge_policy=True,
    merge_sources=10,
    merged_attributes=50,
    attribute_bytes=1_024,
    accepts_attributes=False,
)

#: Sources: vendor's SDK for Python 257.1.0 and its Swagger document; the merge takes 25 contacts.
PLATFORM = Capabilities(
    contract="platform",
    organizations=False,
    deployments=True,
    replication=False,
    consents=False,
    merges_contacts=True,
    custom_merge_policy=False,
    merge_sources=24,
    merged_attributes=None,
    attribute_bytes=None,
    accepts_attributes=True,
)
