"""`doctor` of a bridge: one that is sound is found sound, whatever it hears by; nothing is made."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.patient import ROLE, Patient, configurable, patient
from tests.support.tls import authority
from workers.doctor.receiver import certified

__all__ = ["configurable", "patient"]

pytestmark = pytest.mark.usefixtures("sandbox")  # its journal is looked at

DAY = 86_400
QUEUE = "v2.routing.queues.{id}.conversations.messages"


def of_bridge(findings: Iterable[Mapping[str, str]]) -> dict[str, list[str]]:
    """Return what was found of the bridge and its receiver, by the check's name."""
    told: dict[str, list[str]] = {}
    for each in findings:
        if "bridge" in each["check"] or each["check"] == "receiver":
            told.setdefault(each["check"].removeprefix("default: "), []).append(each["what"])
    return told


def test_a_sound_bridge_is_found_sound_and_nothing_is_made(patient: Patient) -> None:
    patient.bridge(secret="hunter2" * 3)
    code, findings = patient.doctor()
    assert [each for each in findings if each["state"] != "ok"] == []
    assert code == 0
    assert of_bridge(findings) == {
        "receiver": ["127.0.0.1:8090, from this machine alone"],
        "bridge rules": [
            "attributes-changed: v2.detail.events.conversation.{id}.attributes → sync_profile",
            "customer-left: v2.detail.events.conversation.{id}.customer.end → redact_interaction",
            f"customer-disconnected: {QUEUE} → redact_interaction",
            "contacts-merged: v2.externalcontacts.contacts.{id} → sync_profile",
            "guest-identified: v2.externalcontacts.contacts.{id} → merge_and_sync; it is off",
        ],
        "bridge queues": ["messages go to sync, redact"],
        "bridge processes": ["host:1 leads and hears 1 topics, 0 stand by"],
        "bridge gaps": ["no gap is open"],
        "bridge channels": ["0 of 20 channels of the client are in use, 1 are needed"],
        "bridge topics": [f"{QUEUE} (1): held: conversation:communication:view"],
        "bridge may backfill": [
            "held: analytics:conversationDetail:view, conversation:communication:view"
        ],
    }
    assert patient.sandbox.effects() == []
    assert patient.sandbox.channels() == []


def test_a_bridge_of_the_guides_contract_is_found_sound(patient: Patient) -> None:
    patient.use_guide()
    patient.bridge()
    code, findings = patient.doctor("--task", "bridge")
    told = of_bridge(findings)
    assert code == 0
    (topic,) = told["bridge topics"]
    assert "there is such a topic" in topic
    assert told["bridge may backfill"] == ["held: interaction:read"]
    assert patient.sandbox.effects() == []


def test_one_that_takes_events_alone_is_not_asked_for_topics(patient: Patient) -> None:
    patient.change(bridge={"secret": "hunter2" * 3})
    patient.tell_of_bridge(listens=False, leads=False, receives=True, channels=0)
    code, findings = patient.doctor("--task", "bridge")
    told = of_bridge(findings)
    assert code == 0
    assert told["bridge processes"] == ["1 run and take events by HTTP"]
    assert not {"bridge channels", "bridge topics", "bridge may backfill"} & told.keys()
    routes = {each["route"] for each in patient.sandbox.journal()}
    assert not [route for route in routes if "notifications" in str(route)]


def test_rules_that_are_shipped_need_not_all_be_told_of(patient: Patient) -> None:
    patient.bridge()
    _, findings = patient.doctor("--task", "bridge")
    told = of_bridge(findings)["bridge rules"]
    assert [each.partition(":")[0] for each in told if each.endswith("nobody tells of it")] == [
        "attributes-changed",
        "customer-left",
        "contacts-merged",
    ]
    assert {each["state"] for each in findings if "bridge" in each["check"]} == {"ok"}


def test_the_channels_of_the_bridge_itself_are_not_others(patient: Patient) -> None:
    patient.bridge(report={"channels": 20})
    patient.make_channels(20)
    code, findings = patient.doctor("--task", "bridge")
    assert of_bridge(findings)["bridge channels"] == [
        "20 of 20 channels of the client are in use, 1 are needed"
    ]
    assert code == 0


def test_nothing_is_said_of_a_bridge_that_nobody_wants(patient: Patient) -> None:
    assert of_bridge(patient.doctor()[1]) == {}
    patient.bridge()
    _, findings = patient.doctor("--task", "merge_profiles")
    assert set(of_bridge(findings)) == {"receiver"}


def test_rules_and_processes_are_looked_at_though_the_token_is_refused(patient: Patient) -> None:
    patient.bridge(report={"leads": False})
    patient.change(client_secret="hunter2")
    _, findings = patient.doctor("--task", "bridge")
    bad = {each["check"] for each in findings if each["state"] == "bad"}
    assert bad == {"default: token", "default: bridge processes"}


def test_the_permissions_of_the_readme_are_enough(patient: Patient) -> None:
    patient.bridge(contacts=["c-1"], conversations=["a-1"], queues=["q-1"])
    patient.may(ROLE)
    code, findings = patient.doctor("--task", "bridge")
    assert len(of_bridge(findings)["bridge topics"]) == 4
    assert code == 0


@pytest.mark.parametrize(
    ("days", "state"), [(-2, "bad"), (0, "ok"), (300, "ok"), (336, "warn"), (366, "bad")]
)
def test_a_certificate_is_judged_by_the_clock(days: float, state: str, patient: Patient) -> None:
    path = authority(patient.folder, days=365).server
    (finding,) = certified(path, lambda: time.time() + days * DAY)
    assert finding.state == state
    ends = datetime.now(UTC) + timedelta(days=365)
    assert f"{ends:%Y-%m-%d}" in finding.what or days < 0
