"""What an organisation of the Platform API begins with."""

from __future__ import annotations

import random

from workers.sandbox.seed import message_conversations, web_deployments
from workers.sandbox.world import Organization, new_id

HOUR = 3600.0
#: Names of configurations; each has a deployment.
SITES = ("shop", "support")


def fill(rng: random.Random, organization: Organization, *, chats: int, epoch: float) -> None:
    """Add web deployments of `epoch`, and after it that many chats, one every two hours."""
    add_web_deployments(rng, organization, epoch)
    add_chats(rng, organization, chats, epoch)


def add_web_deployments(rng: random.Random, organization: Organization, epoch: float) -> None:
    """Add configurations with three and two versions, and their deployments."""
    for site, versions in zip(SITES, (3, 2), strict=True):
        made = web_deployments.configuration(rng, site, modified=epoch, versions=versions)
        organization.web_configurations[made["id"]] = made
        shown = web_deployments.deployment(rng, site, made, modified=epoch)
        organization.web_deployments[shown["id"]] = shown


def add_chats(rng: random.Random, organization: Organization, number: int, epoch: float) -> None:
    """Add message conversations that have ended, two in three of them recorded."""
    contacts = list(organization.external_contacts) or [new_id(rng)]
    for index in range(number):
        started, contact_id = epoch + index * 2 * HOUR, rng.choice(contacts)
        made = message_conversations.chat(rng, started=started, contact_id=contact_id)
        conversation_id = made.conversation["id"]
        organization.platform_conversations[conversation_id] = made.conversation
        organization.message_transcripts[conversation_id] = made.transcript
        if index % 3:
            organization.recordings[made.recording["id"]] = made.recording
