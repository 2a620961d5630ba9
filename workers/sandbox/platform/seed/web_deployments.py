"""Seeded configurations of the Platform API, with a draft and versions, and their deployments."""

from __future__ import annotations

import copy
import random

from workers.sandbox.platform.users import user
from workers.sandbox.seed import EPOCH, HOUR, phrases
from workers.sandbox.wire import iso
from workers.sandbox.world import Document, Organization, new_id

#: Names of the configurations, and how many versions each has.
SITES = {"shop": 3, "support": 2}
_CONFIGURATIONS = "/api/v2/webdeployments/configurations"
_DEPLOYMENTS = "/api/v2/webdeployments/deployments"


def add(rng: random.Random, organization: Organization) -> None:
    """Add configurations, each with versions, a draft and a deployment that shows the newest."""
    for site, versions in SITES.items():
        made = configuration(rng, site, versions=versions)
        organization.web_configurations[made["id"]] = made
        shown = deployment(rng, site, made)
        organization.web_deployments[shown["id"]] = shown


def configuration(rng: random.Random, name: str, *, versions: int) -> Document:
    """`{id, draft, versions}`: that many versions an hour apart, and a draft like the last."""
    configuration_id, administrator = new_id(rng), user("administrator")
    draft: Document = {
        **_fields(rng, name),
        "id": configuration_id,
        "version": "DRAFT",
        "status": "Active",
        "createdUser": administrator,
        "lastModifiedUser": administrator,
        "dateCreated": iso(EPOCH),
        "dateModified": iso(EPOCH),
        "selfUri": f"{_CONFIGURATIONS}/{configuration_id}/versions/draft",
    }
    published = []
    for number in range(1, versions + 1):
        version = copy.deepcopy(draft)
        version["version"] = str(number)
        version["datePublished"] = iso(EPOCH + number * HOUR)
        version["publishedUser"] = administrator
        version["selfUri"] = f"{_CONFIGURATIONS}/{configuration_id}/versions/{number}"
        published.append(version)
    return {"id": configuration_id, "draft": draft, "versions": published}


def deployment(rng: random.Random, name: str, released: Document) -> Document:
    """A deployment that shows the newest version of a configuration."""
    deployment_id, newest = new_id(rng), released["versions"][-1]
    release = {"id": released["id"], "version": newest["version"]}
    return {
        "id": deployment_id,
        "name": name,
        "description": f"The messenger of {name}",
        "allowAllDomains": False,
        "allowedDomains": ["www.example.com"],
        "flow": {"id": new_id(rng)},
        "status": "Active",
        "configuration": {**release, "name": newest["name"], "selfUri": newest["selfUri"]},
        "activeConfiguration": release,
        "snippet": f'<script data-deployment-id="{deployment_id}"></script>',
        "dateCreated": iso(EPOCH),
        "dateModified": iso(EPOCH),
        "lastModifiedUser": user("administrator"),
        "selfUri": f"{_DEPLOYMENTS}/{deployment_id}",
    }


def _fields(rng: random.Random, name: str) -> Document:
    return {
        "name": name,
        "description": f"The look of {name}",
        "languages": ["en-us", "de"],
        "defaultLanguage": "en-us",
        "customI18nLabels": [
            {
                "language": "en-us",
                "localizedLabels": [{"key": "MessengerHomeHeaderTitle", "value": "Welcome!"}],
            }
        ],
        "headlessMode": {"enabled": False},
        "messenger": _messenger(rng),
        "position": {"alignment": rng.choice(("Left", "Right")), "sideSpace": 20},
        "cobrowse": {"enabled": rng.random() < 0.5, "maskSelectors": [".secret"]},
        "journeyEvents": {"enabled": True, "pageviewConfig": "Auto"},
    }


def _messenger(rng: random.Random) -> Document:
    return {
        "enabled": True,
        "styles": {"primaryColor": rng.choice(phrases.COLORS)},
        "launcherButton": {"visibility": "On"},
        "fileUpload": {"modes": [{"fileTypes": ["image/png"], "maxFileSizeKB": 512}]},
        "homeScreen": {"enabled": True, "logoUrl": "https://www.example.com/logo.svg"},
        "apps": {
            "conversations": {
                "enabled": True,
                "showAgentTypingIndicator": True,
                "humanize": {"enabled": False},
            }
        },
    }
