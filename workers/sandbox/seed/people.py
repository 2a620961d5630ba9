"""Seeded customers: guest profiles with consents, and contacts with dirty attributes."""

from __future__ import annotations

import random
from collections.abc import Iterable
from decimal import Decimal

from workers.sandbox.seed import phrases
from workers.sandbox.wire import iso
from workers.sandbox.world import Document, new_id

DAY = 86_400.0


def profile(rng: random.Random, *, born: float, extra_attributes: int = 0) -> Document:
    """A guest profile of 4 to 9 custom attributes and `extra_attributes` of names of its own."""
    first, last = rng.choice(phrases.FIRST_NAMES), rng.choice(phrases.LAST_NAMES)
    profile_id = new_id(rng)
    created = iso(born - rng.uniform(1, 1500) * DAY)
    return {
        "profileId": profile_id,
        "firstName": first,
        "lastName": last,
        "emails": [email(rng, first, last)],
        "phones": [f"+1555{rng.randrange(10**7):07}"],
        "customAttributes": {
            **_custom_attributes(rng),
            **{
                f"survey_{profile_id[:8]}_{i}": str(rng.randint(1, 5))
                for i in range(extra_attributes)
            },
        },
        "links": [],
        "createdDate": created,
        "modifiedDate": created,
    }


def link(owner: Document, merged: Iterable[Document]) -> None:
    """Make `merged` profiles of which `owner` is the canonical one."""
    owner["links"].extend({"profileId": each["profileId"]} for each in merged)


def consents(rng: random.Random) -> Document:
    """Consent records for one or more purposes."""
    purposes = rng.sample(phrases.PURPOSES, rng.randint(1, len(phrases.PURPOSES)))
    statuses = rng.choices(phrases.CONSENTS, (6, 2, 1, 1), k=len(purposes))
    pairs = zip(purposes, statuses, strict=True)
    return {"consents": [{"purpose": purpose, "status": status} for purpose, status in pairs]}


def contact(rng: random.Random, *, empty: bool = False) -> Document:
    """A contact as imports leave them: odd names, numbers and dates written as text."""
    attributes = {} if empty else _dirty_attributes(rng)
    return {"contactId": new_id(rng), "attributes": attributes}


def _custom_attributes(rng: random.Random) -> Document:
    everything = {
        "loyaltyTier": rng.choice(phrases.TIERS),
        "memberSince": iso(1.5e9 + rng.randrange(2 * 10**8))[:10],
        "lifetimeValue": _amount(rng),
        "preferredLanguage": rng.choice(phrases.LANGUAGES),
        "crmId": f"{rng.randrange(10**7):08}",
        "newsletter": rng.choice(("true", "false")),
        "city": rng.choice(phrases.CITIES),
        "openCases": str(rng.randrange(5)),
        "lastStore": f"store-{rng.randint(1, 80):03}",
    }
    names = rng.sample(list(everything), rng.randint(4, len(everything)))
    return {name: everything[name] for name in names}


def _dirty_attributes(rng: random.Random) -> Document:
    first, last = rng.choice(phrases.FIRST_NAMES), rng.choice(phrases.LAST_NAMES)
    everything = {
        "First Name": first,
        " Last  Name": last,
        "email": email(rng, first, last),
        "Phone (mobile)": f"+1 555 {rng.randrange(10**7):07}",
        "customer_no": f"{rng.randrange(10**6):08}",
        "Account Balance [EUR]": _amount(rng),
        "lifetimeValue": Decimal(_amount(rng)),
        "VIP": rng.choice(("TRUE", "False", "yes", "no")),
        "optIn": rng.choice((True, False)),
        "Date Of Birth": iso(rng.uniform(0, 1e9))[:10],
        "lastSeen": iso(1.7e9 + rng.randrange(10**7)),
        "ZIP": f"{rng.randrange(10**5):05}",
        "loyalty points": str(rng.randrange(10**5)),
        "orders": rng.randrange(40),
        "externalRef": str(rng.randrange(10**16, 10**17)),
        "score": "1e5",
        "Notes": f"prefers {rng.choice(phrases.CITIES)}; call after 17:00",
    }
    names = rng.sample(list(everything), rng.randint(5, len(everything)))
    return {name: everything[name] for name in names}


def _amount(rng: random.Random) -> str:
    return f"{rng.randrange(100_000)}.{rng.randrange(100):02}"


def email(rng: random.Random, first: str, last: str) -> str:
    """An address of that name at a domain for examples."""
    name = f"{first}.{last}".lower().replace("'", "").encode("ascii", "ignore").decode()
    return f"{name}{rng.randint(1, 99)}@{rng.choice(phrases.MAIL_DOMAINS)}"
