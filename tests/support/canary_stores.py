"""Customer stores that the canary reaches: tenants of each, and what their messages are about.

Secrets of the tenants, fields of the stores and values of their customers hold it, and so does all
that the stores say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from redis import Redis

from tests.integration.outside import Behaviour, answer, reset, truncate
from tests.support.canary import HEADERS, MAIL, NUMBER, PHONE, SAID, TEXT, Arguments
from tests.support.contracts import GUIDE
from tests.support.tenants import UNLIMITED, Table
from workers.sandbox.cognigy import profiles
from workers.sandbox.cxone_digital import custom_fields, customers, definitions
from workers.sandbox.cxone_digital.access_keys import FORM_PATH, JSON_PATH
from workers.sandbox.testing import SandboxHandle

#: What every client, key and application authenticates with.
PASSWORD = f"secret-{MAIL}"

#: Digital Engagement by a key and through an application, and Cognigy.AI; then the discovery of the
#: one, and the other, as outside systems that answer anything.
TENANTS = ("digital", "application", "cognigy", "undiscovered", "strange")

#: What reads something of the stores of a sandbox, in the terms of its faults.
READS: tuple[dict[str, Any], ...] = (
    {"system": "dfo", "method": "GET", "route": customers.PATH},
    # Of those who have to read them again and again: else nobody would get any further.
    {"system": "dfo", "method": "GET", "route": definitions.PATH, "client": "digital-2"},
    {"system": "cognigy", "method": "GET"},
)
#: Methods that write there, or ask for a token.
WRITES = {"dfo": ("POST", "PUT"), "cognigy": ("POST", "PATCH")}
#: All that is asked there, by method and route.
CALLS = (
    ("POST", FORM_PATH),
    ("GET", definitions.PATH),
    ("GET", customers.PATH),
    ("PUT", custom_fields.PATH),
    ("GET", f"{profiles.PATH}/{{profileId}}"),
    ("PATCH", f"{profiles.PATH}/{{profileId}}"),
    ("POST", profiles.PATH),
)

#: Fields that Cognigy.AI takes: no `@` may stand in their names.
_DIGITS, _PHONE = str(NUMBER), f"phone_{NUMBER}"
#: A contact of whom Genesys knows the canary.
CONTACT = "contact-of-stores"
#: Values that Digital Engagement takes.
_TOLD = {MAIL: TEXT, PHONE: MAIL, "email": MAIL}
#: A field that every customer of Digital Engagement has to have.
_REQUIRED = f"of {MAIL}"

Errand = tuple[str, Arguments]


def put(sandbox: SandboxHandle) -> None:
    """Let the sandbox's stores know the clients and the fields."""
    for client, system in (
        ("digital", "dfo"),
        ("digital-2", "dfo"),
        ("application", "dfo-application"),
        ("cognigy", "cognigy"),
    ):
        facts = {"system": system, "organization": GUIDE.tenant, "secret": PASSWORD}
        sandbox.put_client(client, **facts, requests_per_minute=UNLIMITED)
    sandbox.put("cxoneDefinitions", MAIL, {"label": TEXT})
    sandbox.put("cxoneDefinitions", PHONE, {"type": "list", "values": [TEXT, MAIL]})
    sandbox.put("cxoneDefinitions", _REQUIRED, {"isRequired": True})
    fields = sandbox.get("cognigySchemas", _project(sandbox))["fields"]
    named = {**fields, _DIGITS: "Text", _PHONE: "Text"}
    sandbox.put("cognigySchemas", _project(sandbox), {"fields": named})


def tables(sandbox: SandboxHandle, discovery_url: str, strange_url: str) -> dict[str, Table]:
    """Return the tenants, whose contacts are those of the guides' contract."""
    key = _digital(sandbox, "digital", url=sandbox.dfo_url, token_url=sandbox.dfo_url + JSON_PATH)
    application = _digital(
        sandbox,
        "digital-2",
        url=sandbox.dfo_url,
        token_url=sandbox.dfo_url + FORM_PATH,
        access_by="application",
        client_id="application",
        client_secret=PASSWORD,
    )
    undiscovered = _digital(sandbox, "digital", tenant_id="t-1", discovery_url=discovery_url)
    cognigy = _cognigy(sandbox, sandbox.cognigy_url)
    strange = _cognigy(sandbox, strange_url)
    stores = (key, application, cognigy, undiscovered, strange)
    return {
        name: GUIDE.table(sandbox, sync=store) for name, store in zip(TENANTS, stores, strict=True)
    }


def _digital(sandbox: SandboxHandle, key_id: str, **reached: str) -> Table:
    return {
        "target": "cxone",
        "access_key_id": key_id,
        "access_key_secret": PASSWORD,
        "requests_per_minute": UNLIMITED,
        "unmapped": "infer",
        "coalesce_seconds": 0.1,
        "fields": _mapped({"title": "notes", "firstName": "city"}, "number", PHONE),
        **reached,
    }


def _cognigy(sandbox: SandboxHandle, url: str) -> Table:
    return {
        "target": "cognigy",
        "url": url,
        "api_key": PASSWORD,
        "requests_per_five_minutes": UNLIMITED,
        "create_missing": True,
        "project_id": _project(sandbox),
        "unmapped": "infer",
        "coalesce_seconds": 0,
        "fields": _mapped({"title": _DIGITS, "firstName": "firstname", MAIL: _PHONE}, PHONE),
    }


def _mapped(targets: dict[str, str], *dropped: str) -> Table:
    """Return a field map; its keys are quoted as TOML asks for."""
    rules: dict[str, Table] = {name: {"target": target} for name, target in targets.items()}
    rules |= {name: {"drop": True} for name in dropped}
    return {json.dumps(name): rule for name, rule in rules.items()}


def _project(sandbox: SandboxHandle) -> str:
    return sandbox.ids("cognigySchemas", GUIDE.tenant)[0]


def customer_of(name: str) -> str:
    """Return the id of a customer as Digital Engagement makes them: of the address."""
    return f"email_{name}-{MAIL}"


def profile_of(name: str) -> str:
    return sha256(name.encode()).hexdigest()[:24]


def errands(sandbox: SandboxHandle, name: str) -> Iterator[tuple[str, Errand]]:
    """Yield messages, each with its tenant, that bring values for customers who go by `name`.

    All but one are customers of whom the stores know the canary.
    """
    _put_customer(sandbox, customer_of(name), notes=TEXT, **{_REQUIRED: TEXT})
    yield "digital", _sync("a-contact", customer_of(name), _TOLD)
    _put_profile(sandbox, profile_of(name), firstname=TEXT, location=MAIL)
    for profile in (profile_of(name), profile_of(f"none of {name}")):
        yield "cognigy", _sync("a-contact", profile, {_DIGITS: TEXT, _PHONE: MAIL, "email": MAIL})


def newcomer(redis: Redis, name: str) -> tuple[str, Errand]:
    """Return the message of a tenant that has no token, and whose fields nobody has read."""
    for token in redis.scan_iter("gw:token:application:*"):
        redis.delete(token)
    return "application", _sync("a-contact", customer_of(name), _TOLD)


def read(sandbox: SandboxHandle) -> Iterator[tuple[str, Errand]]:
    """Yield messages that have the values of `CONTACT` read, for customers who go by `good`."""
    known = {"firstName": TEXT, "title": MAIL, "email": MAIL, MAIL: PHONE, PHONE: MAIL}
    GUIDE.put_person(sandbox, CONTACT, **known)
    yield "digital", _sync(CONTACT, customer_of("good"))
    yield "cognigy", _sync(CONTACT, profile_of("good"))


def refused(sandbox: SandboxHandle) -> Iterator[tuple[str, Errand]]:
    """Yield messages that the rules of a store refuse, or its people."""
    _put_customer(sandbox, customer_of("incomplete"), notes=MAIL)
    yield "digital", _sync("a-contact", customer_of("incomplete"), {"notes": TEXT})
    yield "digital", _sync("a-contact", customer_of("unknown"), {"notes": TEXT})
    yield "digital", _sync("a-contact", TEXT, {"notes": TEXT})
    wrong = {TEXT: MAIL, PHONE: TEXT * 2, "email": TEXT, "notes": TEXT * 20, _REQUIRED: ""}
    yield "digital", _sync("a-contact", customer_of("incomplete"), wrong)
    profile = profile_of("refused")
    _put_profile(sandbox, profile, firstname=TEXT)
    yield "cognigy", _sync("a-contact", profile, {MAIL: TEXT, MAIL.upper(): TEXT})
    yield "cognigy", _sync("a-contact", profile, {"lifetime_value": TEXT, _DIGITS: MAIL})
    yield "cognigy", _sync("a-contact", profile, {"notes": TEXT * 1_000})
    yield "cognigy", _sync("a-contact", customer_of("no profile"), {"email": TEXT})
    _put_profile(sandbox, profile_of("objects"), firstname=TEXT, prevent_data_collection=True)
    yield "cognigy", _sync("a-contact", profile_of("objects"), {"email": TEXT})


def strangers(count: int) -> Iterator[tuple[str, Errand]]:
    """Yield so many messages for each of the stores that answer anything."""
    for number in range(count):
        name = f"stranger-{number}"
        yield "undiscovered", _sync("a-contact", customer_of(name), {"notes": TEXT})
        yield "strange", _sync("a-contact", profile_of(name), {"email": MAIL})


def held(sandbox: SandboxHandle, name: str) -> dict[str, str]:
    """Return the address of the customers who go by `name`, by the tenant that has written it."""
    fields = sandbox.get("cxoneCustomers", customer_of(name))["customFields"]
    values = {each["ident"]: each["value"] for each in fields}
    profile = sandbox.get("cognigyProfiles", profile_of(name))["profile"]
    return {"digital": values["email"], "cognigy": profile["email"]}


def _sync(contact: str, customer: str, told: dict[str, str] | None = None) -> Errand:
    brought = {} if told is None else {"attributes": told}
    return "sync_profile", {"contact_id": contact, "customer_id": customer, **brought}


def _put_customer(sandbox: SandboxHandle, customer: str, **values: str) -> None:
    fields = {"customer_number": "0007", **values}
    listed = [{"ident": ident, "value": value} for ident, value in fields.items()]
    sandbox.put("cxoneCustomers", customer, {"customFields": listed}, GUIDE.tenant)


def _put_profile(sandbox: SandboxHandle, profile: str, **fields: Any) -> None:
    body = {"profile": fields, "contactIds": [TEXT], "projectId": _project(sandbox)}
    sandbox.put("cognigyProfiles", profile, body, GUIDE.tenant)


_PAGE = f"<h1>{TEXT}</h1>".encode()
#: What a store says that is no answer to anything it is asked.
_NONSENSE: tuple[object, ...] = (
    TEXT,
    [TEXT, {MAIL: TEXT}],
    {"area": MAIL, "domain": TEXT},
    {"area": NUMBER, "domain": [TEXT]},
    {"_id": MAIL, "profile": {MAIL: TEXT}},
    {"_id": profile_of("told"), "profile": TEXT},
    {"_id": profile_of("told"), "profile": {MAIL: TEXT, PHONE: [TEXT], "accepted_gdpr": TEXT}},
    {"customFields": TEXT},
    {"customFields": [{"ident": NUMBER, "value": {MAIL: TEXT}}]},
    _PAGE,
    f'{{"message": "{TEXT}'.encode(),
)


def anything(statuses: tuple[int, ...]) -> list[Behaviour]:
    """Return how an outside system behaves that answers the canary in every status and form."""
    return [
        *(answer(status, SAID, HEADERS) for status in statuses),
        *(answer(status, _PAGE, HEADERS) for status in (302, 403, 502)),
        *(answer(200, body, HEADERS) for body in _NONSENSE),
        reset,
        truncate,
        answer(500, SAID, HEADERS),
    ]
