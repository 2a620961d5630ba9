"""How strict, how fast and how forgetful the simulated systems are."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveFloat, PositiveInt


class Options(BaseModel):
    """What a sandbox may be told at its start, or later by `PUT /sandbox/options`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Budget of every OAuth client that names none of its own, in calls per 60 s window.
    requests_per_minute: PositiveInt = 300
    #: Budget of token requests per OAuth client, apart from its other calls.
    token_requests_per_minute: PositiveInt = 300
    #: Lifetime of tokens whose client names none of its own.
    token_seconds: PositiveFloat = 3600
    #: The same for `platform`, where an administrator chooses from 300 s to 48 h.
    platform_token_seconds: PositiveFloat = 86_400
    #: Where a 429 of `platform` says how long to wait: any of the places, or none.
    wait_told_in: tuple[Literal["retry-after", "reset", "body"], ...] = (
        "retry-after",
        "reset",
        "body",
    )
    #: How long `platform` takes to keep the participant attributes that it has accepted.
    attributes_delay_seconds: NonNegativeFloat = 0.2
    #: Calls a second to `/conversations/voice/participants*`, per OAuth client.
    participants_per_second: PositiveInt = 100
    #: Whether `Retry-After` is sent as whole seconds or as an HTTP date.
    retry_after: Literal["seconds", "date"] = "seconds"
    #: Longest request body, in bytes.
    body_limit: PositiveInt = 512_000
    #: The guides name no GET of a configuration: answer it, or refuse with this status.
    configuration_get: Literal["ok", 404, 405] = "ok"
    #: The guides name no GET of one interaction: answer it, or refuse with this status.
    interaction_get: Literal["ok", 404, 405] = "ok"
    #: Whether the answer to a replication request carries the job's id.
    replication_id: bool = True
    #: How long a replication stays PENDING, then RUNNING, and how it ends.
    replication_pending_seconds: NonNegativeFloat = 0.5
    replication_running_seconds: NonNegativeFloat = 1.0
    replication_outcome: Literal["COMPLETED", "FAILED"] = "COMPLETED"
    #: How long what `platform` has just made cannot be found, or used, yet.
    consistency_seconds: NonNegativeFloat = 0.2
    #: How long a notification channel of `platform` lives after it was made or subscribed.
    channel_seconds: PositiveFloat = 86_400
    #: How often its socket says that it is there, and how long before it closes it says so.
    heartbeat_seconds: PositiveFloat = 30
    notice_seconds: NonNegativeFloat = 60
    #: Whether a topic that does not exist refuses a subscription, or is rejected alone where
    #: errors are to be ignored.
    unknown_topics: Literal["refuse", "reject"] = "refuse"
    #: How long a draft, and a deployment, of `platform` stays Pending.
    draft_active_seconds: NonNegativeFloat = 0.3
    deployment_active_seconds: NonNegativeFloat = 0.5
    #: How long an analytics job is QUEUED, then PENDING, and how it ends.
    analytics_queued_seconds: NonNegativeFloat = 0.1
    analytics_pending_seconds: NonNegativeFloat = 0.4
    analytics_outcome: Literal["FULFILLED", "FAILED"] = "FULFILLED"
    #: How far the data of analytics jobs lags behind.
    analytics_lag_seconds: NonNegativeFloat = 0.0
    #: How long analytics queries do not know yet what has happened.
    analytics_query_lag_seconds: NonNegativeFloat = 0.0
    #: The last of the conversations found that the pages of an analytics query reach.
    analytics_deepest_hit: PositiveInt = 10_000
    #: How long a conversation's recordings are transcoded once they have been asked for.
    transcoding_seconds: NonNegativeFloat = 0.2
    #: How long an audit query is Queued, then Running, and how it ends.
    audit_queued_seconds: NonNegativeFloat = 0.1
    audit_running_seconds: NonNegativeFloat = 0.3
    audit_outcome: Literal["Succeeded", "Failed"] = "Succeeded"
    #: How long a GDPR request takes.
    gdpr_seconds: NonNegativeFloat = 1.0
    #: Seconds between the messages of a live interaction, and until it completes.
    live_message_seconds: PositiveFloat = 2.0
    live_seconds: PositiveFloat = 20.0
    #: How `dfo` takes a PUT of custom fields: the others stay, or are gone.
    dfo_put: Literal["partial", "replace"] = "partial"
    #: Whether `dfo` refuses or ignores a field that is not defined, refuses or makes a customer.
    dfo_unknown_ident: Literal["refuse", "ignore"] = "refuse"
    dfo_unknown_customer: Literal["refuse", "create"] = "refuse"
    #: How many writes of one customer `dfo` takes at once, and how many more a minute.
    dfo_record_burst: PositiveInt = 250
    dfo_record_per_minute: PositiveFloat = 17
    #: What `dfo` says of a tenant: its base URL is `https://api-de-{area}.{domain}`.
    dfo_area: str = "na1"
    dfo_domain: str = "niceincontact.com"
    #: Budget of a Cognigy organisation: calls, and the seconds that they are for.
    cognigy_requests: PositiveInt = 1000
    cognigy_window_seconds: PositiveFloat = 300
    #: Longest request body that `cognigy` takes, in bytes.
    cognigy_body_limit: PositiveInt = 60_000
    #: Whether `cognigy` refuses or ignores a field that a project's profile schema does not have.
    cognigy_unknown_field: Literal["refuse", "ignore"] = "refuse"
    #: Whether a null in a request of `cognigy` takes a field away or is refused.
    cognigy_null: Literal["remove", "refuse"] = "remove"
    #: How long `cognigy` keeps a profile that nobody reads or writes.
    cognigy_profile_days: PositiveFloat = 30
    #: How many requests, and how many effects, the journal remembers.
    journal_limit: PositiveInt = 500_000
