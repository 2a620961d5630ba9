"""`doctor`: an installation that is sound is told so, and each fault is named with its remedy."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest

from tasks.errors import NotFound
from tests.support.patient import ROLE, Patient, configurable, patient
from tests.support.raw_messages import raw
from tests.support.tenants import tenants_file
from workers.app import create_app
from workers.cli.main import run
from workers.doctor.examination import examination
from workers.outside.visits import visiting
from workers.settings import Settings
from workers.tenants import load_tenants

__all__ = ["configurable", "patient"]

pytestmark = pytest.mark.usefixtures("sandbox")  # its journal is looked at


def test_a_sound_installation_is_found_sound_and_left_as_it_is(patient: Patient) -> None:
    patient.redis.lpush("merge", raw([[], {}, {}]))
    code, findings = patient.doctor()
    assert [each for each in findings if each["state"] != "ok"] == []
    assert code == 0
    assert patient.sandbox.effects() == []
    assert patient.redis.llen("merge") == 1
    assert not patient.redis.keys("gw:token:*")
    assert not patient.redis.keys("gw:doctor:*")


@pytest.mark.parametrize("contract", ["platform", "guide"])
def test_nothing_that_the_apis_are_asked_has_an_effect(patient: Patient, contract: str) -> None:
    if contract == "guide":
        patient.use_guide()
    else:
        patient.change(platform={"delete_recordings": True, "gdpr_requests": True})
    code, findings = patient.doctor()
    asked = [each for each in patient.sandbox.journal() if each["route"] != "/oauth/token"]
    written = [each for each in asked if each["method"] != "GET"]
    assert (code, patient.sandbox.effects()) == (0, [])
    assert len(written) >= 4
    assert {each["status"] for each in written} <= {400, 404}
    assert [each["check"] for each in findings if " may " in each["check"]]


@pytest.mark.parametrize(
    ("settings", "asked"),
    [({}, False), ({"delete_recordings": True, "gdpr_requests": True}, True)],
)
def test_steps_that_are_switched_off_are_not_asked_for(
    patient: Patient, settings: dict[str, bool], asked: bool
) -> None:
    patient.change(platform=settings)
    patient.doctor("--task", "redact_interaction")
    routes = {each["route"] for each in patient.sandbox.journal()}
    assert ("/api/v2/gdpr/requests" in routes) is asked
    assert ("/api/v2/conversations/{conversationId}/recordingmetadata" in routes) is asked


def test_the_permissions_of_the_readme_are_enough(patient: Patient) -> None:
    patient.may(ROLE)
    patient.change(platform={"gdpr_requests": True})
    assert patient.doctor()[0] == 0


def test_what_a_task_does_not_need_is_not_asked_for(patient: Patient) -> None:
    patient.may(ROLE - {"webDeployments:configuration:edit"})
    assert patient.doctor("--task", "merge_profiles")[0] == 0
    assert patient.doctor("--task", "deploy_config")[0] == 1


def test_a_tenant_is_looked_at_alone_where_it_is_named(patient: Patient) -> None:
    broken = {**patient.table, "client_secret": "hunter2"}
    patient.set(TENANTS_FILE=tenants_file(patient.folder, default=patient.table, acme=broken))
    assert patient.doctor("--tenant", "default")[0] == 0
    assert patient.doctor()[0] == 1


def test_calls_count_in_the_budget_of_the_tenant(patient: Patient) -> None:
    patient.doctor("--task", "merge_profiles")
    calls = [each for each in patient.sandbox.journal(system="platform") if each["route"]]
    spent: Any = patient.redis.hget("gw:budget:default:genesys", "spent")
    assert int(spent) == len([each for each in calls if each["route"] != "/oauth/token"])


def test_the_secret_is_tried_and_not_the_token_that_the_cluster_has(patient: Patient) -> None:
    settings = Settings.load()
    services = create_app(settings, load_tenants(settings)).services
    with visiting(services, "default") as systems, suppress(NotFound):
        systems.genesys.read_contact("5f1c2d3e-0000-4000-8000-000000000000")
    services.close()
    assert patient.redis.keys("gw:token:default:genesys:*")
    patient.change(client_secret="hunter2")
    code, findings = patient.doctor()
    assert code == 1
    assert "default: token" in [each["check"] for each in findings if each["state"] == "bad"]


def test_findings_are_shown_as_a_table(patient: Patient) -> None:
    patient.redis.config_set("appendonly", "no")
    patient.environment.setenv("COLUMNS", "200")
    assert run(["doctor", "--task", "merge_profiles"]) == 1
    said = " ".join(patient.capsys.readouterr().out.split())
    assert "bad redis: persistence no append-only file" in said
    assert "set appendonly yes" in said


def test_a_clock_that_goes_wrong_is_found(patient: Patient) -> None:
    rows = examination(None, ["merge_profiles"], lambda _: None, clock=lambda: time.time() - 90)
    (finding,) = [finding for name, finding in rows if name == "redis: clock"]
    assert finding.state == "bad"
    assert "s behind Redis" in finding.what
    assert "NTP" in finding.remedy
