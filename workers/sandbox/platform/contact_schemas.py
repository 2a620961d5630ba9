"""The schemas that the custom fields of contacts follow."""

from __future__ import annotations

from workers.sandbox.call import Answer, Call, Route
from workers.sandbox.platform.errors import not_found

_PATH = "/api/v2/externalcontacts/contacts/schemas"
_VIEW = ("externalContacts:customFields:view",)
#: As the examples of the Swagger document give them.
_LIMITS = {
    "minFieldNameCharacters": 1,
    "maxFieldNameCharacters": 100,
    "minFieldTitleCharacters": 1,
    "maxFieldTitleCharacters": 100,
    "minFieldDescriptionCharacters": 0,
    "maxFieldDescriptionCharacters": 200,
    "minSchemaNameCharacters": 1,
    "maxSchemaNameCharacters": 50,
    "minSchemaDescriptionCharacters": 0,
    "maxSchemaDescriptionCharacters": 200,
    "maxNumberOfSchemasPerOrg": 20,
    "maxNumberOfFieldsPerSchema": 25,
    "maxNumberOfFieldsPerOrg": 500,
}


def list_schemas(call: Call) -> Answer:
    """`GET …/contacts/schemas` → `{total, entities[{id, version, jsonSchema}]}`."""
    schemas = list(call.organization.contact_schemas.values())
    return Answer(body={"total": len(schemas), "entities": schemas, "selfUri": _PATH})


def read_schema(call: Call) -> Answer:
    """`GET …/contacts/schemas/{schemaId}`."""
    schema = call.organization.contact_schemas.get(call.path["schemaId"])
    if schema is None:
        raise not_found("schema", call.path["schemaId"])
    return Answer(body=schema)


def read_limits(_call: Call) -> Answer:
    """`GET …/contacts/schemas/limits`: how many fields there may be, how long their names."""
    return Answer(body={**_LIMITS, "selfUri": f"{_PATH}/limits"})


ROUTES = (
    Route(method="GET", path=_PATH, any_of=_VIEW, handle=list_schemas),
    Route(method="GET", path=f"{_PATH}/limits", any_of=_VIEW, handle=read_limits),
    Route(method="GET", path=f"{_PATH}/{{schemaId}}", any_of=_VIEW, handle=read_schema),
)
