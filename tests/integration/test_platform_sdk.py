"""The vendor's own SDK and our `platform` contract at one sandbox: each sees what the other did."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.apis.deployments import Release
from tasks.apis.genesys_platform.genesys import GenesysPlatform
from tasks.apis.genesys_platform.settings import PlatformSettings
from tasks.apis.http import Http
from tasks.apis.masking_rules import MaskingRule
from tasks.errors import Postponed
from tests.support import vendor_sdk
from tests.support.platform import checked, connect
from tests.support.vendor_sdk import VendorSdk
from workers.sandbox.testing import ManualClock, SandboxHandle, running

NOW = datetime(2026, 11, 21, tzinfo=UTC)
DAY = timedelta(days=1)
REMOVING = PlatformSettings(delete_recordings=True, gdpr_requests=True)


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return vendor_sdk.load(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock(now=NOW.timestamp())


@pytest.fixture(scope="module")
def running_sandbox(clock: ManualClock) -> Iterator[SandboxHandle]:
    with running(clock=clock, requests_per_minute=10_000) as handle:
        yield handle


@pytest.fixture
def sandbox(running_sandbox: SandboxHandle) -> SandboxHandle:
    running_sandbox.reset()
    return running_sandbox


@pytest.fixture
def sdk(module: Any, sandbox: SandboxHandle) -> Iterator[VendorSdk]:
    client = vendor_sdk.connect(module, sandbox)
    yield client
    client.close()


@pytest.fixture
def http(sandbox: SandboxHandle, clock: ManualClock) -> Iterator[Http]:
    with checked(connect(sandbox, clock)) as http:
        yield http


@pytest.fixture
def ours(http: Http) -> GenesysPlatform:
    return GenesysPlatform(http=http, settings=PlatformSettings())


@pytest.fixture
def pair(sandbox: SandboxHandle) -> list[str]:
    """The ids of two contacts that have not been merged."""
    return sandbox.ids("externalContacts", type="Curated")[:2]


@pytest.fixture
def call(sandbox: SandboxHandle) -> tuple[str, str]:
    """The ids of a call that goes on, and of its customer."""
    for each in sandbox.ids("platformConversations"):
        held = sandbox.get("platformConversations", each)
        if "endTime" not in held and "calls" in held["participants"][0]:
            return each, held["participants"][0]["id"]
    raise AssertionError("the seed has no call that goes on")


@pytest.fixture
def chat(sandbox: SandboxHandle) -> str:
    """The id of a conversation that has ended, with messages and a recording."""
    recording = sandbox.get("recordings", sandbox.ids("recordings")[0])
    conversation_id: str = recording["conversationId"]
    return conversation_id


@pytest.fixture
def deployment(sandbox: SandboxHandle) -> tuple[str, str]:
    """The ids of a deployment and of its configuration."""
    deployment_id = sandbox.ids("webDeployments")[0]
    return deployment_id, sandbox.get("webDeployments", deployment_id)["configuration"]["id"]


def ids(references: Any) -> set[str]:
    return {each.id for each in references}


# Who is asking


def test_the_token_is_that_of_the_client_and_its_organisation(sdk: VendorSdk) -> None:
    tokens = sdk.api("Tokens")
    known = tokens.get_tokens_me()
    assert (known.organization.id, known.o_auth_client.id) == ("default", vendor_sdk.CLIENT)
    tokens.head_tokens_me()
    assert sdk.status() == 200
    limits = sdk.api("Organization").get_organizations_limits_namespace("platform.api")
    (limit,) = limits.entities
    assert (limit.key, limit.value) == ("client.credentials.token.rate.per.minute", 10_000)


def test_a_refusal_comes_with_its_code_and_context(sdk: VendorSdk) -> None:
    with pytest.raises(sdk.refusal) as refused:
        sdk.api("ExternalContacts").get_externalcontacts_contact("nobody")
    body = json.loads(refused.value.body)
    assert (refused.value.status, body["code"]) == (404, "entity.not.found")
    assert body["contextId"] == refused.value.headers["ININ-Correlation-Id"]


# Contacts


def test_a_merge_by_the_sdk_is_one_profile_to_us(
    sdk: VendorSdk, ours: GenesysPlatform, pair: list[str]
) -> None:
    request = sdk.model(
        "MergeContactsRequest",
        contact_ids=pair,
        value_override=sdk.model("ExternalContact", first_name="Chosen"),
    )
    made = sdk.api("ExternalContacts").post_externalcontacts_contacts_merge(request)
    for each in (*pair, made.id):
        profile = ours.read_profile(each)
        assert (profile.id, profile.attributes["firstName"]) == (made.id, "Chosen")
    assert ours.merge(pair[0], pair[1:], "target_wins") == made.id


def test_our_merge_is_one_merge_set_to_the_sdk(
    sdk: VendorSdk, ours: GenesysPlatform, pair: list[str]
) -> None:
    contacts = sdk.api("ExternalContacts")
    before = contacts.get_externalcontacts_contact(pair[0])
    survivor = ours.merge(pair[0], pair[1:], "target_wins")
    made = contacts.get_externalcontacts_contact(pair[1])
    assert (made.id, made.first_name) == (survivor, before.first_name)
    assert ids(made.merge_set) == {*pair, survivor}
    assert ids(made.merged_from) == set(pair)
    itself = contacts.get_externalcontacts_contact_unresolved(pair[0])
    assert (itself.id, itself.merged_to.id, itself.canonical_contact.id) == (
        pair[0],
        survivor,
        survivor,
    )


def test_several_contacts_are_read_as_one_by_one(
    sdk: VendorSdk, ours: GenesysPlatform, pair: list[str]
) -> None:
    contacts = sdk.api("ExternalContacts")
    survivor = ours.merge(pair[0], pair[1:], "source_wins")
    entities = [sdk.model("WritableEntity", id=each) for each in pair]
    request = sdk.model("BulkIdsRequest", entities=entities)
    resolved = contacts.post_externalcontacts_bulk_contacts(request)
    assert [each.entity.id for each in resolved.results] == [survivor, survivor]
    themselves = contacts.post_externalcontacts_bulk_contacts_unresolved(request)
    assert [each.entity.id for each in themselves.results] == pair


def test_a_contact_written_by_the_sdk_is_the_source_that_we_read(
    sdk: VendorSdk, ours: GenesysPlatform, pair: list[str]
) -> None:
    contacts = sdk.api("ExternalContacts")
    schema = contacts.get_externalcontacts_contacts_schemas().entities[0]
    same = contacts.get_externalcontacts_contacts_schema(schema.id)
    assert (same.version, same.enabled) == (schema.version, True)
    limits = contacts.get_externalcontacts_contacts_schemas_limits()
    assert len(same.json_schema.properties) <= limits.max_number_of_fields_per_schema
    held = contacts.get_externalcontacts_contact(pair[0])
    held.title = "Dr"
    held.custom_fields = {"tier_enum": "gold", "openCases_integer": 3}
    held.schema = sdk.model("DataSchema", id=schema.id, version=schema.version)
    contacts.put_externalcontacts_contact(pair[0], held)
    attributes = ours.read_contact(pair[0]).attributes
    assert [attributes[name] for name in ("title", "tier_enum", "openCases_integer")] == [
        "Dr",
        "gold",
        3,
    ]


def test_a_change_by_the_sdk_leaves_the_rest_as_it_is(
    sdk: VendorSdk, ours: GenesysPlatform, pair: list[str]
) -> None:
    before = ours.read_contact(pair[0]).attributes
    change = sdk.model("ContactsPatchChange", field="$.title", action="Update", value="Ms")
    request = sdk.model("ExternalContactsPatchRequest", changes=[change])
    sdk.api("ExternalContacts").patch_externalcontacts_contact(pair[0], request)
    assert ours.read_contact(pair[0]).attributes == {**before, "title": "Ms"}


def test_a_contact_is_found_by_what_it_is_known_by(
    sdk: VendorSdk, ours: GenesysPlatform, pair: list[str]
) -> None:
    contacts = sdk.api("ExternalContacts")
    known = contacts.get_externalcontacts_contact_identifiers(pair[0]).entities
    (email,) = [each.value for each in known if each.type == "Email"]
    assert email == ours.read_profile(pair[0]).attributes["personalEmail"]
    asked = sdk.model("ContactIdentifier", type="Email", value=email)
    assert contacts.post_externalcontacts_identifierlookup_contacts(asked).id == pair[0]
    subjects = sdk.api("GeneralDataProtectionRegulation").get_gdpr_subjects("EMAIL", email)
    assert [each.external_contact_id for each in subjects.entities] == pair[:1]


def test_a_scan_finds_what_was_not_merged(
    sdk: VendorSdk, ours: GenesysPlatform, pair: list[str]
) -> None:
    survivor = ours.merge(pair[0], pair[1:], "target_wins")
    contacts = sdk.api("ExternalContacts")
    found: set[str] = set()
    page = contacts.get_externalcontacts_scan_contacts(limit=100)
    while page.cursors:
        found |= ids(page.entities)
        page = contacts.get_externalcontacts_scan_contacts(limit=100, cursor=page.cursors.after)
    found |= ids(page.entities)
    assert survivor in found
    assert not found & set(pair)


# Web deployments


def test_what_the_sdk_drafts_publishes_and_deploys_is_the_release_that_we_see(
    sdk: VendorSdk, ours: GenesysPlatform, clock: ManualClock, deployment: tuple[str, str]
) -> None:
    api = sdk.api("WebDeployments")
    deployment_id, configuration_id = deployment
    draft = api.get_webdeployments_configuration_versions_draft(configuration_id)
    draft.description = "by the SDK"
    put = api.put_webdeployments_configuration_versions_draft(configuration_id, draft)
    assert put.status == "Pending"
    clock.advance(1)
    seen = ours.read_draft(configuration_id)
    assert seen is not None
    assert (seen.document["description"], seen.active) == ("by the SDK", True)
    assert seen.modified_by == put.last_modified_user.id
    version = api.post_webdeployments_configuration_versions_draft_publish(configuration_id).version
    clock.advance(1)
    published = ours.read_published(configuration_id)
    assert published is not None
    assert (published.version, published.document["description"]) == (version, "by the SDK")
    target = api.get_webdeployments_deployment(deployment_id)
    target.configuration.version = version
    api.put_webdeployments_deployment(deployment_id, target)
    clock.advance(1)
    release = Release(configuration_id=configuration_id, version=version)
    assert ours.live_release(deployment_id) == release
    assert ours.read_deployment(deployment_id).active


def test_what_we_draft_publish_and_deploy_is_what_the_sdk_reads(
    sdk: VendorSdk, ours: GenesysPlatform, clock: ManualClock, deployment: tuple[str, str]
) -> None:
    api = sdk.api("WebDeployments")
    deployment_id, configuration_id = deployment
    before = api.get_webdeployments_deployment(deployment_id)
    draft = ours.read_draft(configuration_id)
    assert draft is not None
    ours.put_draft(configuration_id, {**draft.document, "description": "ours"})
    assert api.get_webdeployments_configuration_versions_draft(configuration_id).status == "Pending"
    clock.advance(1)
    version = ours.publish_draft(configuration_id)
    clock.advance(1)
    kept = api.get_webdeployments_configuration_version(configuration_id, version)
    assert (kept.description, kept.messenger.styles.primary_color) == (
        "ours",
        draft.document["messenger"]["styles"]["primaryColor"],  # type: ignore[index]
    )
    versions = api.get_webdeployments_configuration_versions(configuration_id).entities
    assert versions[1].version == version
    release = Release(configuration_id=configuration_id, version=version)
    ours.put_deployment(ours.read_deployment(deployment_id), release)
    clock.advance(1)
    after = api.get_webdeployments_deployment(deployment_id)
    assert (after.status, after.configuration.version) == ("Active", version)
    assert (after.flow.id, after.allowed_domains) == (before.flow.id, before.allowed_domains)
    live = api.get_webdeployments_deployment_configurations(deployment_id)
    assert live.configuration_version.version == version


def test_a_configuration_and_a_deployment_made_by_the_sdk_can_be_read_by_us(
    sdk: VendorSdk, ours: GenesysPlatform, clock: ManualClock
) -> None:
    api = sdk.api("WebDeployments")
    wanted = sdk.model("WebDeploymentConfigurationVersion", name="new", languages=["en-us"])
    made = api.post_webdeployments_configurations(wanted)
    assert ours.read_draft(made.id) is None
    clock.advance(1)
    draft = ours.read_draft(made.id)
    assert draft is not None
    assert draft.document["name"] == "new"
    version = ours.publish_draft(made.id)
    clock.advance(1)
    assert made.id in ids(api.get_webdeployments_configurations(page_size=300).entities)
    target = sdk.model(
        "WebDeployment",
        name="new",
        allow_all_domains=True,
        configuration=sdk.model("WebDeploymentConfigurationVersionEntityRef", id=made.id),
    )
    target.configuration.version = version
    deployed = api.post_webdeployments_deployments(target)
    clock.advance(1)
    assert ours.read_deployment(deployed.id).release.version == version
    assert deployed.id in ids(api.get_webdeployments_deployments().entities)


def test_a_configuration_that_the_sdk_deletes_is_gone_for_us(
    sdk: VendorSdk, ours: GenesysPlatform, clock: ManualClock
) -> None:
    api = sdk.api("WebDeployments")
    wanted = sdk.model("WebDeploymentConfigurationVersion", name="short-lived")
    made = api.post_webdeployments_configurations(wanted)
    clock.advance(1)
    api.delete_webdeployments_configuration(made.id)
    assert ours.read_draft(made.id) is None


def test_identity_resolution_can_be_switched_by_the_sdk(
    sdk: VendorSdk, deployment: tuple[str, str]
) -> None:
    api = sdk.api("WebDeployments")
    wanted = sdk.model("DeploymentIdentityResolutionConfig", resolve_identities=True)
    api.put_webdeployments_deployment_identityresolution(deployment[0], wanted)
    found = api.get_webdeployments_deployment_identityresolution(deployment[0])
    assert found.resolve_identities


# Conversations


def test_attributes_of_the_sdk_are_seen_by_us(
    sdk: VendorSdk, ours: GenesysPlatform, clock: ManualClock, call: tuple[str, str]
) -> None:
    request = sdk.model("ParticipantAttributes", attributes={"tier": "gold"})
    sdk.api("Conversations").patch_conversation_participant_attributes(*call, request)
    assert sdk.status() == 202
    clock.advance(1)
    assert ours.read_participant(*call).attributes["tier"] == "gold"


def test_our_attributes_are_seen_by_the_sdk(
    sdk: VendorSdk, ours: GenesysPlatform, clock: ManualClock, call: tuple[str, str]
) -> None:
    ours.set_attributes(*call, {"tier": "gold", "lang": "no"})
    clock.advance(1)
    found = sdk.api("Conversations").get_conversation(call[0]).participants[0]
    assert (found.id, found.attributes) == (call[1], {"tier": "gold", "lang": "no"})


def test_the_sdk_reads_the_messages_that_we_read(
    sdk: VendorSdk, ours: GenesysPlatform, chat: str
) -> None:
    api = sdk.api("Conversations")
    texts = {each["id"]: text_of(each) for each in ours.read_interaction(chat).messages}
    sides = api.get_conversations_message(chat).participants
    listed = [each.message_id for side in sides for each in side.messages]
    assert set(listed) == set(texts)
    bulk = api.post_conversations_message_messages_bulk(chat, body=listed).entities
    assert {each.id: each.normalized_message.text for each in bulk} == texts
    one = api.get_conversations_message_message(chat, listed[0])
    assert one.normalized_message.text == texts[listed[0]]


def text_of(message: Mapping[str, Any]) -> str:
    text: str = message["normalizedMessage"]["text"]
    return text


# Redaction


def removing(http: Http) -> GenesysPlatform:
    return GenesysPlatform(http=http, settings=REMOVING)


def test_the_date_of_deletion_that_we_set_is_on_the_recordings_of_the_sdk(
    sdk: VendorSdk, http: Http, clock: ManualClock, chat: str
) -> None:
    api, genesys = sdk.api("Recording"), removing(http)
    due = datetime.fromtimestamp(clock(), UTC) + timedelta(days=REMOVING.recording_deletion_days)
    interaction = genesys.read_interaction(chat)
    kept = genesys.keep_redacted(interaction, interaction.messages)
    assert kept.steps["recordings"] == {"deletion_set": 1}
    (known,) = api.get_conversation_recordingmetadata(chat)
    (recording,) = api.get_conversation_recordings(chat, format_id="NONE")
    assert (recording.id, recording.delete_date) == (known.id, known.delete_date)
    assert abs(recording.delete_date - due) < timedelta(seconds=1)


def test_an_earlier_date_that_the_sdk_set_stays(
    sdk: VendorSdk, http: Http, clock: ManualClock, chat: str
) -> None:
    api, genesys = sdk.api("Recording"), removing(http)
    assert api.get_conversation_recordings(chat) == [] or sdk.status() == 202
    clock.advance(1)
    (recording,) = api.get_conversation_recordings(chat)
    tomorrow = datetime.fromtimestamp(clock(), UTC) + DAY
    recording.delete_date = tomorrow
    api.put_conversation_recording(chat, recording.id, recording)
    interaction = genesys.read_interaction(chat)
    kept = genesys.keep_redacted(interaction, interaction.messages)
    assert kept.steps["recordings"] == {"set_before": 1}
    assert api.get_conversation_recording(chat, recording.id).delete_date == tomorrow


def test_a_deletion_asked_for_by_either_is_known_to_the_other(
    sdk: VendorSdk, http: Http, sandbox: SandboxHandle, chat: str
) -> None:
    api, genesys = sdk.api("GeneralDataProtectionRegulation"), removing(http)
    (guest,) = [
        each["externalContactId"]
        for each in sandbox.get("platformConversations", chat)["participants"]
        if "externalContactId" in each
    ]
    subject = sdk.model("GDPRSubject", external_contact_id=guest)
    request = sdk.model("GDPRRequest", request_type="GDPR_DELETE", subject=subject)
    asked = api.post_gdpr_requests(request, delete_confirmed=True)
    interaction = genesys.read_interaction(chat)
    kept = genesys.keep_redacted(interaction, interaction.messages)
    assert kept.steps["gdpr_request"] == {"asked": 0, "under_way": 1}
    assert [each.id for each in api.get_gdpr_requests().entities] == [asked.id]


def test_a_deletion_that_we_asked_for_ends_before_the_eyes_of_the_sdk(
    sdk: VendorSdk, http: Http, clock: ManualClock, chat: str
) -> None:
    api, genesys = sdk.api("GeneralDataProtectionRegulation"), removing(http)
    interaction = genesys.read_interaction(chat)
    genesys.keep_redacted(interaction, interaction.messages)
    (request,) = api.get_gdpr_requests().entities
    assert (request.request_type, request.status) == ("GDPR_DELETE", "INITIATED")
    clock.advance(2)
    assert api.get_gdpr_request(request.id).status == "COMPLETED"


# Analytics


def sweep(ours: GenesysPlatform, clock: ManualClock, since: datetime, until: datetime) -> set[str]:
    """Return the ids that our sweep finds, waiting for jobs."""
    found: set[str] = set()
    cursor: str | None = None
    while True:
        try:
            page = ours.completed_interactions(
                since=since, until=until, page_size=100, cursor=cursor
            )
        except Postponed:
            clock.advance(1)
            continue
        found |= set(page.ids)
        if (cursor := page.next_cursor) is None:
            return found


@pytest.fixture
def days(sandbox: SandboxHandle, chat: str) -> tuple[datetime, datetime]:
    """The day on which `chat` began, and some days after it."""
    began = datetime.fromisoformat(sandbox.get("platformConversations", chat)["startTime"])
    return began - DAY, began + 3 * DAY


def asked_of(sdk: VendorSdk, kind: str, days: tuple[datetime, datetime]) -> Any:
    """Return a query of that kind for message conversations that have ended."""
    media = sdk.model("SegmentDetailQueryPredicate", dimension="mediaType", value="message")
    ended = sdk.model(
        "ConversationDetailQueryPredicate",
        type="dimension",
        dimension="conversationEnd",
        operator="exists",
    )
    return sdk.model(
        kind,
        interval="/".join(each.isoformat() for each in days),
        segment_filters=[sdk.model("SegmentDetailQueryFilter", type="and", predicates=[media])],
        conversation_filters=[
            sdk.model("ConversationDetailQueryFilter", type="and", predicates=[ended])
        ],
    )


def test_a_query_of_the_sdk_finds_what_our_sweep_finds(
    sdk: VendorSdk, ours: GenesysPlatform, clock: ManualClock, days: tuple[datetime, datetime]
) -> None:
    query = asked_of(sdk, "ConversationQuery", days)
    query.paging = sdk.model("PagingSpec", page_size=100, page_number=1)
    answer = sdk.api("Analytics").post_analytics_conversations_details_query(query)
    found = {
        each.conversation_id
        for each in answer.conversations
        if days[0] <= each.conversation_start < days[1]
    }
    assert found == sweep(ours, clock, *days)
    assert len(found) > 10
    one = sdk.api("Analytics").get_analytics_conversation_details(min(found))
    assert one.conversation_end


def test_a_job_of_the_sdk_finds_what_our_sweep_finds(
    sdk: VendorSdk, ours: GenesysPlatform, clock: ManualClock, days: tuple[datetime, datetime]
) -> None:
    api = sdk.api("Analytics")
    assert api.get_analytics_conversations_details_jobs_availability().data_availability_date
    query = asked_of(sdk, "AsyncConversationQuery", days)
    job = api.post_analytics_conversations_details_jobs(query).job_id
    assert api.get_analytics_conversations_details_job(job).state == "QUEUED"
    assert sdk.status() == 202
    clock.advance(1)
    assert api.get_analytics_conversations_details_job(job).state == "FULFILLED"
    page = api.get_analytics_conversations_details_job_results(job, page_size=10)
    found = list(page.conversations)
    while page.cursor:
        page = api.get_analytics_conversations_details_job_results(
            job, page_size=10, cursor=page.cursor
        )
        found += page.conversations
    began = {each.conversation_id for each in found if days[0] <= each.conversation_start < days[1]}
    assert began == sweep(ours, clock, *days)


# Masking rules


def test_masking_rules_of_either_are_those_of_the_other(
    sdk: VendorSdk, ours: GenesysPlatform
) -> None:
    api = sdk.api("DataPrivacy")
    before = {each.id for each in ours.masking_rules()}
    ours.create_masking_rule(MaskingRule(name="Orders", definition="[0-9]{6}"))
    (made,) = [
        each for each in api.get_dataprivacy_maskingrules().entities if each.id not in before
    ]
    assert (made.name, made.definition, made.enabled) == ("Orders", "[0-9]{6}", True)
    made.name = "Order numbers"
    api.patch_dataprivacy_maskingrule(made.id, body=made)
    assert "Order numbers" in {each.name for each in ours.masking_rules()}
    api.delete_dataprivacy_maskingrule(made.id)
    assert {each.id for each in ours.masking_rules()} == before


def test_a_rule_made_by_the_sdk_is_read_changed_and_deleted_by_us(
    sdk: VendorSdk, ours: GenesysPlatform
) -> None:
    api = sdk.api("DataPrivacy")
    wanted = sdk.model(
        "MaskingRule",
        name="Parcels",
        definition="P[0-9]{8}",
        substitute_character="#",
        enabled=True,
        type="Custom",
    )
    made = api.post_dataprivacy_maskingrules(wanted)
    (rule,) = [each for each in ours.masking_rules() if each.id == made.id]
    assert (rule.name, rule.definition, rule.substitute) == ("Parcels", "P[0-9]{8}", "#")
    ours.delete_masking_rule(made.id)
    with pytest.raises(sdk.refusal, match="404"):
        api.get_dataprivacy_maskingrule(made.id)


def test_a_definition_does_for_the_sdk_what_it_does_for_us(
    sdk: VendorSdk, ours: GenesysPlatform
) -> None:
    request = sdk.model("MaskingRuleValidateRequest", definition="[0-9]{6}", text="order 123456")
    answer = sdk.api("DataPrivacy").post_dataprivacy_maskingrules_validate(request)
    assert answer.valid
    assert answer.masked_text == ours.try_definition("[0-9]{6}", "order 123456").masked


# Audit


def audit_query(sdk: VendorSdk, kind: str, clock: ManualClock, entity_id: str) -> Any:
    now = datetime.fromtimestamp(clock(), UTC)
    by_id = sdk.model("AuditQueryFilter", pcProperty="EntityId", value=entity_id)
    return sdk.model(
        kind,
        interval=f"{(now - DAY).isoformat()}/{(now + DAY).isoformat()}",
        service_name="WebDeployments",
        filters=[by_id],
    )


def test_the_audit_of_the_sdk_has_the_draft_that_we_put(
    sdk: VendorSdk, ours: GenesysPlatform, clock: ManualClock, deployment: tuple[str, str]
) -> None:
    api, configuration_id = sdk.api("Audit"), deployment[1]
    draft = ours.read_draft(configuration_id)
    assert draft is not None
    ours.put_draft(configuration_id, draft.document)
    request = audit_query(sdk, "AuditQueryRequest", clock, configuration_id)
    query = api.post_audits_query(request)
    clock.advance(1)
    assert api.get_audits_query_transaction_id(query.id).state == "Succeeded"
    (entry,) = api.get_audits_query_transaction_id_results(query.id, page_size=100).entities
    assert (entry.action, entry.entity.id) == ("Update", configuration_id)
    request = audit_query(sdk, "AuditRealtimeQueryRequest", clock, configuration_id)
    assert [each.id for each in api.post_audits_query_realtime(request).entities] == [entry.id]
    services = api.get_audits_query_servicemapping().services
    assert "WebDeployments" in {each.name for each in services}


def test_our_audit_has_the_draft_that_the_sdk_put(
    sdk: VendorSdk, ours: GenesysPlatform, clock: ManualClock, deployment: tuple[str, str]
) -> None:
    api, configuration_id = sdk.api("WebDeployments"), deployment[1]
    draft = api.get_webdeployments_configuration_versions_draft(configuration_id)
    api.put_webdeployments_configuration_versions_draft(configuration_id, draft)
    now = datetime.fromtimestamp(clock(), UTC)
    query_id = ours.ask_for_changes(now - DAY, now + DAY, [configuration_id])
    clock.advance(1)
    assert [each.action for each in ours.changes(query_id) or ()] == ["Update"]


# Notifications


def test_the_sdk_makes_a_channel_and_chooses_what_it_listens_to(sdk: VendorSdk) -> None:
    api = sdk.api("Notifications")
    known = api.get_notifications_availabletopics(expand=["transports"]).entities
    topics = [each.id.replace("{id}", "one") for each in known if each.transports == ["All"]]
    made = api.post_notifications_channels()
    assert ids(api.get_notifications_channels(includechannels="token").entities) == {made.id}
    api.head_notifications_channel(made.id)
    assert sdk.status() == 200
    asked = [sdk.model("ChannelTopic", id=each) for each in topics]
    added = api.post_notifications_channel_subscriptions(made.id, asked[:1]).entities
    assert [(each.id, each.state) for each in added] == [(topics[0], "Permitted")]
    api.put_notifications_channel_subscriptions(made.id, asked[1:], ignore_errors=True)
    held = api.get_notifications_channel_subscriptions(made.id).entities
    assert ids(held) == set(topics[1:])
    api.delete_notifications_channel_subscriptions(made.id)
    assert api.get_notifications_channel_subscriptions(made.id).entities == []


#: Which of the SDK's models an event of a topic is.
EVENTS = {
    "v2.externalcontacts.contacts.{id}": "ExternalContactsContactChangedTopicContact",
    "v2.routing.queues.{id}.conversations.messages": (
        "QueueConversationMessageEventTopicMessageConversation"
    ),
    "v2.detail.events.conversation.{id}.attributes": (
        "AttributeDetailEventTopicAttributeUpdateEvent"
    ),
    "v2.detail.events.conversation.{id}.customer.end": (
        "CustomerEndDetailEventTopicCustomerEndEvent"
    ),
}


def test_events_are_what_the_sdk_knows_of_their_topics(
    sdk: VendorSdk, sandbox: SandboxHandle, clock: ManualClock, call: tuple[str, str]
) -> None:
    sandbox.end_conversation(call[0])
    sandbox.start_stream(rate=100, events=40)
    clock.advance(5)
    events = sandbox.events()
    assert {each["template"] for each in events} == EVENTS.keys()
    for event in events:
        body = event["detail"]["eventBody"]
        assert sdk.unknown_fields(EVENTS[event["template"]], body) == set()
