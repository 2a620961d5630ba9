"""`doctor`: of each set-up that is broken, the fault is named with its remedy."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet

from tasks.apis.notifications import MOST_CHANNELS
from tests.support.letters import park
from tests.support.patient import ROLE, SERVED, Patient, configurable, patient
from tests.support.raw_messages import raw
from tests.support.tenants import tenant
from tests.support.tls import authority, tls_front
from workers.bridge.state.gaps import Gaps
from workers.embedded.loopback import HOST
from workers.letters.dead_letters import DeadLetter, DeadLetters
from workers.letters.sealing import Seal
from workers.limits.overrides import Overrides
from workers.store import Store

__all__ = ["configurable", "patient"]

pytestmark = pytest.mark.usefixtures("sandbox")  # its effects are looked at

#: Where nobody listens.
NOWHERE = f"{HOST}:1"

MERGING = ("--task", "merge_profiles")
SYNCING = ("--task", "sync_profile")
BRIDGING = ("--task", "bridge")


@dataclass(frozen=True, kw_only=True)
class Ill:
    """A fault, and the finding that names it: its check, and words of it and of its remedy."""

    because: Callable[[Patient], object]
    check: str
    what: str
    remedy: str
    state: str = "bad"
    code: int = 1
    options: tuple[str, ...] = MERGING


def snapshot_failed(patient: Patient) -> None:
    here = str(patient.redis.config_get("dir")["dir"])
    patient.configure(dir="/proc")
    patient.redis.bgsave()
    patient.settle()
    patient.configure(dir=here)
    patient.around.callback(patient.settle)
    patient.around.callback(patient.redis.bgsave)


def unread(patient: Patient) -> None:
    """Let the only worker not read the queue of a message."""
    patient.work("merge")
    patient.redis.lpush("sync", raw([[], {}]))


def unseen_recordings(patient: Patient) -> None:
    """Let recordings be deleted by a client that may not see them."""
    patient.may(ROLE)
    patient.change(platform={"delete_recordings": True})


def weak_user(patient: Patient, *rules: str) -> None:
    """Connect as a user who may do anything but what `rules` take away."""
    patient.redis.execute_command(  # type: ignore[no-untyped-call]  # redis-py's own
        "ACL", "SETUSER", "weak", "on", ">hunter2", "~*", "&*", "+@all", *rules
    )
    patient.set(REDIS_URL=patient.url.replace("//", "//weak:hunter2@"))


def untrusted(patient: Patient) -> None:
    """Reach Redis by TLS, with a certificate of an authority that nobody knows."""
    served = tls_front(authority(patient.folder).server, urlsplit(patient.url).port or 0)
    patient.set(REDIS_URL=f"rediss://{HOST}:{patient.around.enter_context(served)}/0")


def letter(patient: Patient, key: str) -> None:
    letters = DeadLetters(store=Store(redis=patient.redis), seal=Seal(key=key))
    letter = DeadLetter(
        id="default:1",
        task="sync_profile",
        queue="sync",
        tenant="default",
        status="failed",
        reason="gave up",
        attempts=1,
        at=1.0,
    )
    park(letters, letter, b"{}")


def outdated(patient: Patient) -> None:
    """Let another key seal now, and the one that sealed a letter open it still."""
    letter(patient, patient.seal_key)
    patient.set(SEAL_KEY=f"{Fernet.generate_key().decode()},{patient.seal_key}")


def unresolved(patient: Patient) -> None:
    """Let the name of the API's host lead nowhere, without asking a name server."""
    known = socket.getaddrinfo

    def look_up(host: Any, *rest: Any, **options: Any) -> Any:
        if host == "api.nowhere.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return known(host, *rest, **options)

    patient.environment.setattr(socket, "getaddrinfo", look_up)
    patient.change(api_url="http://api.nowhere.invalid")


def a_file(patient: Patient) -> str:
    path = patient.folder / "file"
    path.touch()
    return str(path)


def rule(patient: Patient, **changes: str) -> str:
    """Return a file of one rule, which is about contacts, but for the changes."""
    keys = {
        "name": "survivors",
        "topic": "v2.externalcontacts.contacts.{id}",
        "task": "sync_profile",
        "subject": "id",
        "backfill": "nothing",
        **changes,
    }
    path = patient.folder / "rules.toml"
    lines = [f'{key} = "{value}"' for key, value in keys.items()]
    path.write_text(
        "\n".join(
            [
                "[[rule]]",
                *lines,
                'occurrence = { at = "id" }',
                '[rule.arguments]\ncontact_id = "id"',
            ]
        )
    )
    return str(path)


def no_bridge(patient: Patient) -> None:
    patient.bridge()
    patient.redis.delete("gw:bridges")


def silent_bridge(patient: Patient) -> None:
    """Let a bridge have ended without a word."""
    patient.bridge()
    patient.tell_of_bridge(at=time.time() - 60)


def guide_bridge(patient: Patient) -> None:
    """Let a bridge on the guides' contract lack the scope to backfill."""
    guide_lacking("interaction:read")(patient)
    patient.bridge()


def no_channels(patient: Patient) -> None:
    """Let somebody else listen by all channels that the client may have."""
    patient.bridge(report={"channels": 0})
    patient.make_channels(MOST_CHANNELS)


def unread_rules(patient: Patient) -> None:
    """Let the only worker not read the queue that rules fill."""
    patient.bridge()
    patient.work("merge", "sync")


def late_gap(patient: Patient) -> None:
    patient.bridge()
    now = time.time()
    Gaps(store=Store(redis=patient.redis), tenant="default").open(now - 600, now - 590, "silence")


def beyond(patient: Patient, **variables: str) -> None:
    """Let the receiver be reached from other machines."""
    patient.bridge(secret="hunter2" * 3)
    patient.set(**{"RECEIVER_ADDRESS": "0.0.0.0:8090", **variables})


def certificate(patient: Patient, days: float) -> None:
    """Let its certificate end in so many days."""
    made = str(authority(patient.folder, days=days).server)
    beyond(patient, RECEIVER_TLS_CERT=made, RECEIVER_TLS_KEY=made)


def without(permission: str, **bridge: Any) -> Callable[[Patient], None]:
    """Let a bridge's client lack a permission."""

    def because(patient: Patient) -> None:
        patient.bridge(**bridge)
        patient.may(ROLE - {permission})

    return because


def lacking(*permissions: str) -> Callable[[Patient], None]:
    return lambda patient: patient.may(ROLE - set(permissions))


def guide_lacking(scope: str) -> Callable[[Patient], None]:
    def because(patient: Patient) -> None:
        patient.use(tenant(patient.sandbox, requests_per_minute=300))
        (client,) = [c for c in patient.sandbox.clients() if c["client_id"] == "sandbox-client"]
        scopes = [each for each in client["scopes"] if each != scope]
        patient.sandbox.put_client("sandbox-client", scopes=scopes)

    return because


def cognigy(patient: Patient, **changes: Any) -> None:
    table = {"target": "cognigy", "url": patient.sandbox.cognigy_url, "api_key": "hunter2"}
    patient.change(sync={**table, **changes})


def digital(patient: Patient, **changes: Any) -> None:
    url = patient.sandbox.dfo_url
    table = {
        "target": "cxone",
        "url": url,
        "token_url": f"{url}/authentication/v1/token/access-key",
        "access_key_id": "sandbox-access-key",
        "access_key_secret": "sandbox-access-key-secret",
    }
    patient.change(sync={**table, **changes})


REDIS = {
    "no append-only file": Ill(
        because=lambda patient: patient.configure(appendonly="no"),
        check="redis: persistence",
        what="no append-only file",
        remedy="set appendonly yes",
    ),
    "a second may be lost": Ill(
        because=lambda patient: patient.configure(appendfsync="everysec"),
        check="redis: persistence",
        what="a crash loses the last second",
        remedy="appendfsync always",
        state="warn",
        code=0,
    ),
    "nothing is flushed": Ill(
        because=lambda patient: patient.configure(appendfsync="no"),
        check="redis: persistence",
        what="appendfsync no",
        remedy="appendfsync always",
    ),
    "a snapshot failed": Ill(
        because=snapshot_failed,
        check="redis: persistence",
        what="the last snapshot failed",
        remedy="disk space",
    ),
    "keys are evicted": Ill(
        because=lambda patient: patient.configure(maxmemory="1gb", maxmemory_policy="allkeys-lru"),
        check="redis: eviction",
        what="maxmemory-policy allkeys-lru: a full Redis drops messages",
        remedy="noeviction",
    ),
    "keys may be evicted one day": Ill(
        because=lambda patient: patient.configure(maxmemory_policy="volatile-ttl"),
        check="redis: eviction",
        what="maxmemory-policy volatile-ttl",
        remedy="noeviction",
        state="warn",
        code=0,
    ),
    "memory is full": Ill(
        because=lambda patient: patient.configure(maxmemory="1mb"),
        check="redis: memory",
        what="writes are about to be refused",
        remedy="raise maxmemory",
    ),
    "nobody listens": Ill(
        because=lambda patient: patient.set(REDIS_URL=f"redis://:hunter2@{NOWHERE}/0"),
        check="redis: connection",
        what=f"{NOWHERE} does not answer",
        remedy="REDIS_URL",
    ),
    "no password": Ill(
        because=lambda patient: patient.configure(requirepass="hunter2"),
        check="redis: connection",
        what="refuses the login",
        remedy="REDIS_URL",
    ),
    "a strange certificate": Ill(
        because=untrusted,
        check="redis: connection",
        what="certificate is not trusted",
        remedy="ssl_ca_certs",
    ),
    "a user without a command": Ill(
        because=lambda patient: weak_user(patient, "-hincrby", "-zadd"),
        check="redis: rights",
        what="the user weak may not: HINCRBY gw:*, ZADD gw:*",
        remedy="ACL",
    ),
    "a user without queues": Ill(
        because=lambda patient: weak_user(patient, "resetkeys", "~gw:*", "~celery-task-meta-*"),
        check="redis: rights",
        what="the user weak may not: LLEN attributes",
        remedy="ACL",
    ),
    "a user who may run no script": Ill(
        because=lambda patient: weak_user(patient, "-evalsha"),
        check="redis: rights",
        what="the user weak may not: EVALSHA",
        remedy="ACL",
    ),
    "a user without scripts": Ill(
        because=lambda patient: weak_user(patient, "-script"),
        check="redis: scripts",
        what="scripts are refused",
        remedy="SCRIPT and EVALSHA",
    ),
    "a user who may not ask": Ill(
        because=lambda patient: weak_user(patient, "-config"),
        check="redis: persistence",
        what="does not tell how often",
        remedy="",
        state="ok",
        code=0,
    ),
    "nothing is encrypted": Ill(
        because=lambda patient: patient.environment.delenv("SEAL_KEY"),
        check="redis: encryption",
        what="SEAL_KEY is not set",
        remedy="Fernet.generate_key()",
        state="warn",
        code=0,
    ),
    "another key": Ill(
        because=lambda patient: letter(patient, Fernet.generate_key().decode()),
        check="redis: encryption",
        what="SEAL_KEY is not the key",
        remedy="set the key again",
    ),
    "an older key": Ill(
        because=outdated,
        check="redis: encryption",
        what="not sealed with the first key of SEAL_KEY",
        remedy="dead-letters reseal",
        state="warn",
        code=0,
    ),
    "results go nowhere": Ill(
        because=lambda patient: patient.set(RESULT_BACKEND=f"redis://{NOWHERE}/0"),
        check="results",
        what="does not answer",
        remedy="RESULT_BACKEND",
    ),
}

WORK = {
    "no worker": Ill(
        because=lambda patient: patient.redis.delete("gw:workers", "gw:alive"),
        check="workers and queues",
        what="no worker is alive",
        remedy="genesys-workers worker",
        state="warn",
        code=0,
    ),
    "nobody reads a queue": Ill(
        because=unread,
        check="workers and queues",
        what="sync holds 1 messages: no worker reads it",
        remedy="worker --queues sync",
    ),
    "a mistyped tenant": Ill(
        because=lambda patient: patient.redis.lpush("merge.typo", raw([[], {}])),
        check="workers and queues",
        what="merge.typo holds 1 messages: unknown tenant typo",
        remedy="TENANTS_FILE",
    ),
    "a paused tenant": Ill(
        because=lambda patient: Overrides(store=Store(redis=patient.redis)).pause("default", "me"),
        check="pauses",
        what="default is paused",
        remedy="rates resume default",
        state="warn",
        code=0,
    ),
    "dead letters": Ill(
        because=lambda patient: letter(patient, patient.seal_key),
        check="dead letters",
        what="1 messages could not be carried out",
        remedy="dead-letters list",
        state="warn",
        code=0,
    ),
}

SETTINGS = {
    "a wrong URL": Ill(
        because=lambda patient: patient.set(REDIS_URL="http://hunter2"),
        check="settings",
        what="REDIS_URL: must start with redis://",
        remedy="correct it",
        code=2,
    ),
    "a wrong number": Ill(
        because=lambda patient: patient.set(LEASE_SECONDS="0"),
        check="settings",
        what="LEASE_SECONDS: ",
        remedy="correct it",
        code=2,
    ),
    "no tenants file": Ill(
        because=lambda patient: patient.set(TENANTS_FILE="no/such/file"),
        check="tenants",
        what="TENANTS_FILE: cannot be read",
        remedy="correct it",
        code=2,
    ),
    "a wrong tenant": Ill(
        because=lambda patient: patient.change(api="other"),
        check="tenants",
        what="tenants.default.api",
        remedy="correct it",
        code=2,
    ),
    "a missing variable": Ill(
        because=lambda patient: patient.change(client_secret=None, client_secret_env="NO_SECRET"),
        check="tenants",
        what="the variable NO_SECRET is not set",
        remedy="correct it",
        code=2,
    ),
    "another tenant": Ill(
        because=lambda _: None,
        options=("--tenant", "nobody"),
        check="tenants",
        what="--tenant: unknown; the tenants are default",
        remedy="name one",
        code=2,
    ),
    "no folder for audits": Ill(
        because=lambda patient: patient.set(AUDIT_DIR=a_file(patient)),
        check="audit files",
        what="AUDIT_DIR cannot be written to",
        remedy="folder",
    ),
    "no archive": Ill(
        because=lambda patient: patient.change(platform={"archive_folder": a_file(patient)}),
        check="default: archive",
        what="archive_folder cannot be written to",
        remedy="folder",
    ),
}

CLIENTS = {
    "an unknown host": Ill(
        because=unresolved,
        check="default: genesys hosts",
        what="api.nowhere.invalid does not resolve",
        remedy="check region or URL",
    ),
    "a closed port": Ill(
        because=lambda patient: patient.change(login_url=f"http://{NOWHERE}"),
        check="default: genesys hosts",
        what=f"{HOST} takes no connection",
        remedy="check the URL",
    ),
    "no TLS": Ill(
        because=lambda patient: patient.change(
            api_url=patient.sandbox.platform_url.replace("http:", "https:")
        ),
        check="default: genesys hosts",
        what="gives no answer",
        remedy="certificate",
    ),
    "a wrong secret": Ill(
        because=lambda patient: patient.change(client_secret="hunter2"),
        check="default: token",
        what="genesys answered 401 invalid_client to POST /oauth/token",
        remedy="copy id and secret",
    ),
    "a token that the API refuses": Ill(
        because=lambda patient: patient.sandbox.fault(
            kind="expire_tokens", system="platform", method="GET", times=None
        ),
        check="default: token",
        what="answered 401",
        remedy="of one region",
    ),
    "another contract": Ill(
        because=lambda patient: patient.use(
            {**tenant(patient.sandbox, requests_per_minute=300), "api": "platform"}
        ),
        check="default: token",
        what="answered 404",
        remedy="check `api`",
    ),
    "an API in trouble": Ill(
        because=lambda patient: patient.sandbox.fault(
            kind="status", status=503, system="platform", route="/api/v2/tokens/me"
        ),
        check="default: token",
        what="answered 503",
        remedy="status page",
    ),
    "a paused system": Ill(
        because=lambda patient: patient.redis.set("gw:pause:default:genesys", "", px=60_000),
        check="default: genesys budget",
        what="paused for ",
        remedy="lower requests_per_minute",
        state="warn",
        code=0,
    ),
    "a budget that is spent": Ill(
        because=lambda patient: (
            patient.redis.hset("gw:budget:default:genesys", "spent", 290),
            patient.redis.pexpire("gw:budget:default:genesys", 60_000),
        ),
        check="default: genesys budget",
        what="290 of 300 calls a minute are spent",
        remedy="wait a minute",
        state="warn",
        code=0,
    ),
    "a budget beyond the server's": Ill(
        because=lambda patient: patient.change(requests_per_minute=2 * SERVED),
        check="default: calls a minute",
        what=f"requests_per_minute is {2 * SERVED}, the server allows {SERVED}",
        remedy=f"requests_per_minute = {SERVED}",
        state="warn",
        code=0,
    ),
}

RIGHTS = {
    "no merges": Ill(
        because=lacking("externalContacts:identity:merge"),
        check="default: may merge_profiles, merge_and_sync",
        what="missing: externalContacts:identity:merge",
        remedy="role",
    ),
    "no publishing": Ill(
        because=lacking("webDeployments:configuration:add"),
        options=("--task", "deploy_config"),
        check="default: may deploy_config, rollback",
        what="missing: webDeployments:configuration:add",
        remedy="role",
    ),
    "no audits": Ill(
        because=lacking("audits:audit:view"),
        options=("--task", "deploy_config"),
        check="default: may deploy_config",
        what="missing: audits:audit:view, needed by messages with an audit_window",
        remedy="role",
        state="warn",
        code=0,
    ),
    "no texts": Ill(
        because=lacking("conversation:message:view"),
        options=("--task", "redact_interaction"),
        check="default: may redact_interaction",
        what="missing: conversation:message:view, conversation:webmessaging:view",
        remedy="role",
    ),
    "recordings that nobody may see": Ill(
        because=unseen_recordings,
        options=("--task", "redact_interaction"),
        check="default: may redact_interaction",
        what="missing: recording:recording:view",
        remedy="role",
    ),
    "no sweeps": Ill(
        because=lacking("analytics:conversationDetail:view"),
        options=("--task", "redact_completed"),
        check="default: may redact_completed",
        what="missing: analytics:conversationDetail:view",
        remedy="role",
    ),
    "no masking": Ill(
        because=lacking("dataprivacy:maskingrule:delete", "dataprivacy:maskingrule:edit"),
        options=("--task", "masking"),
        check="default: may masking",
        what="missing: dataprivacy:maskingrule:delete, dataprivacy:maskingrule:edit",
        remedy="role",
        state="warn",
        code=0,
    ),
    "no scope to merge": Ill(
        because=guide_lacking("identity:profile:write"),
        check="default: may merge_profiles, merge_and_sync",
        what="missing: identity:profile:write",
        remedy="scope",
    ),
    "no scope to be greeted by": Ill(
        because=guide_lacking("identity:profile:read"),
        check="default: may merge_profiles, merge_and_sync",
        what="missing: identity:profile:read",
        remedy="scope",
    ),
    "no scope to redact": Ill(
        because=guide_lacking("interaction:write"),
        options=("--task", "redact_completed"),
        check="default: may redact_completed",
        what="missing: interaction:write",
        remedy="scope",
    ),
}

TARGETS = {
    "a wrong secret of CXone": Ill(
        because=lambda patient: patient.change_sync(client_secret="hunter2"),
        options=SYNCING,
        check="default: cxone token",
        what="cxone answered 401 invalid_client",
        remedy="copy id and secret",
    ),
    "a wrong access key": Ill(
        because=lambda patient: digital(patient, access_key_secret="hunter2"),
        options=SYNCING,
        check="default: cxone fields",
        what="cxone answered 401",
        remedy="[tenants.NAME.sync]",
    ),
    "a field that is not defined": Ill(
        because=lambda patient: digital(patient, fields={"Tier": {"target": "teir"}}),
        options=SYNCING,
        check="default: cxone fields",
        what="the target defines no field teir",
        remedy="map it to another one",
    ),
    "a wrong API key": Ill(
        because=cognigy,
        options=SYNCING,
        check="default: cognigy fields",
        what="cognigy answered 401",
        remedy="[tenants.NAME.sync]",
    ),
}

BRIDGES = {
    "rules that are wrong": Ill(
        because=lambda patient: patient.bridge(
            rules=rule(patient, task="sync_profil"), topics=["v2.a.b"]
        ),
        check="default: bridge rules",
        what="rules.toml, line 4: task: must be one of",
        remedy="test-rules",
    ),
    "rules that are not there": Ill(
        because=lambda patient: patient.bridge(rules="nowhere.toml", topics=["v2.a.b"]),
        check="default: bridge rules",
        what="nowhere.toml: cannot be read",
        remedy="mend it",
    ),
    "topics without a rule": Ill(
        because=lambda patient: patient.bridge(topics=["v2.users.u-1.presence"]),
        check="default: bridge rules",
        what="no rule is for v2.users.u-1.presence",
        remedy="add a rule",
        state="warn",
        code=0,
    ),
    "a rule of which nobody tells": Ill(
        because=lambda patient: patient.bridge(rules=rule(patient), queues=["q-1"]),
        check="default: bridge rules",
        what="survivors: v2.externalcontacts.contacts.{id} → sync_profile; nobody tells of it",
        remedy="name ids or topics",
        state="warn",
        code=0,
    ),
    "a queue of rules that nobody reads": Ill(
        because=unread_rules,
        check="default: bridge queues",
        what="no worker reads redact, where the messages of customer-left, customer-disc",
        remedy="worker --queues redact",
    ),
    "no bridge": Ill(
        because=no_bridge,
        check="default: bridge processes",
        what="no bridge runs",
        remedy="genesys-workers bridge",
        state="warn",
        code=0,
    ),
    "a bridge that is gone": Ill(
        because=silent_bridge,
        check="default: bridge processes",
        what="no bridge runs",
        remedy="genesys-workers bridge",
        state="warn",
        code=0,
    ),
    "nobody leads": Ill(
        because=lambda patient: patient.bridge(report={"leads": False}),
        check="default: bridge processes",
        what="1 run and none leads",
        remedy="bridge.cannot_lead",
    ),
    "a bridge that hears nothing": Ill(
        because=lambda patient: patient.bridge(report={"connected_since": None}),
        check="default: bridge processes",
        what="host:1 leads and does not hear all of its 1 topics",
        remedy="bridge.not_connected",
    ),
    "topics that are rejected": Ill(
        because=lambda patient: patient.bridge(report={"rejected": 1}),
        check="default: bridge processes",
        what="1 of 1 topics may not be subscribed",
        remedy="bridge.topic_rejected",
    ),
    "a bridge of older settings": Ill(
        because=lambda patient: patient.bridge(report={"topics": 7}),
        check="default: bridge processes",
        what="host:1 listens to 7 topics, the settings name 1",
        remedy="start the bridges anew",
        state="warn",
        code=0,
    ),
    "a gap": Ill(
        because=late_gap,
        check="default: bridge gaps",
        what="1 gaps are still to be backfilled, the oldest is 10 minutes old",
        remedy="bridge.backfill_failed",
        state="warn",
        code=0,
    ),
    "no channel left": Ill(
        because=no_channels,
        check="default: bridge channels",
        what="20 of 20 channels of the client are in use, 1 are needed",
        remedy="a client of its own",
    ),
    "a topic that does not exist": Ill(
        because=lambda patient: patient.bridge(
            rules=rule(patient, topic="v2.no.such.{id}"), topics=["v2.no.such.topic"]
        ),
        check="default: bridge topics",
        what="no channel can listen to v2.no.such.topic",
        remedy="correct them",
    ),
    "a topic for EventBridge alone": Ill(
        because=lambda patient: patient.bridge(
            rules=rule(patient, topic="v2.audits.entitytype.{id}.entityid.{other}"),
            topics=["v2.audits.entitytype.a.entityid.b"],
        ),
        check="default: bridge topics",
        what="no channel can listen to v2.audits.entitytype.a.entityid.b",
        remedy="EventBridge",
    ),
    "no right to a queue's topic": Ill(
        because=without("conversation:communication:view"),
        check="default: bridge topics",
        what="v2.routing.queues.{id}.conversations.messages (1): missing: "
        "conversation:communication:view",
        remedy="role",
    ),
    "no right to conversations' topics": Ill(
        because=without("analytics:conversationDetail:view", conversations=["a-1", "a-2"]),
        check="default: bridge topics",
        what="v2.detail.events.conversation.{id}.attributes (2): missing: "
        "analytics:conversationDetail:view",
        remedy="role",
    ),
    "no right to backfill": Ill(
        because=without("analytics:conversationDetail:view"),
        check="default: bridge may backfill",
        what="missing: analytics:conversationDetail:view",
        remedy="role",
    ),
    "no scope to backfill": Ill(
        because=guide_bridge,
        check="default: bridge may backfill",
        what="missing: interaction:read",
        remedy="scope",
    ),
    "a secret in the open": Ill(
        because=beyond,
        check="receiver",
        what="0.0.0.0:8090 is reached from other machines, without TLS",
        remedy="RECEIVER_TLS_CERT",
    ),
    "half of what TLS needs": Ill(
        because=lambda patient: beyond(patient, RECEIVER_TLS_CERT=a_file(patient)),
        check="receiver",
        what="RECEIVER_TLS_KEY: is required",
        remedy="correct it",
    ),
    "no files of TLS": Ill(
        because=lambda patient: beyond(
            patient, RECEIVER_TLS_CERT="no.pem", RECEIVER_TLS_KEY="no.pem"
        ),
        check="receiver",
        what="RECEIVER_TLS_CERT, RECEIVER_TLS_KEY: must be PEM files",
        remedy="readable to the bridge's user",
    ),
    "a port that there is not": Ill(
        because=lambda patient: beyond(patient, RECEIVER_ADDRESS="127.0.0.1:70000"),
        check="receiver",
        what="RECEIVER_ADDRESS: the port must be at most 65,535",
        remedy="correct it",
    ),
    "a certificate that ends soon": Ill(
        because=lambda patient: certificate(patient, days=20),
        check="receiver",
        what="in 20 days",
        remedy="renew it",
        state="warn",
        code=0,
    ),
    "a certificate that has ended": Ill(
        because=lambda patient: certificate(patient, days=-0.5),
        check="receiver",
        what="the certificate has ended on",
        remedy="renew it",
    ),
}
BRIDGES = {name: replace(ill, options=BRIDGING) for name, ill in BRIDGES.items()}

ILL = {**REDIS, **WORK, **SETTINGS, **CLIENTS, **RIGHTS, **TARGETS, **BRIDGES}


@pytest.mark.parametrize("name", ILL)
def test_a_fault_is_named_with_its_remedy(patient: Patient, name: str) -> None:
    ill = ILL[name]
    ill.because(patient)
    before = patient.sandbox.effects()
    code, findings = patient.doctor(*ill.options)
    found = [
        each["state"]
        for each in findings
        if each["check"] == ill.check and ill.what in each["what"] and ill.remedy in each["remedy"]
    ]
    told = [each for each in findings if each["state"] != "ok"]
    assert (found, code) == ([ill.state], ill.code), told
    assert patient.sandbox.effects() == before


def test_tenants_are_looked_at_though_no_redis_answers(patient: Patient) -> None:
    patient.set(REDIS_URL=f"redis://{NOWHERE}/0")
    patient.may(ROLE - {"externalContacts:identity:merge"})
    _, findings = patient.doctor(*MERGING)
    assert {each["check"] for each in findings if each["state"] == "bad"} == {
        "redis: connection",
        "default: may merge_profiles, merge_and_sync",
    }


def test_redis_is_looked_at_though_the_tenants_are_wrong(patient: Patient) -> None:
    patient.configure(appendonly="no")
    patient.change(api="other")
    code, findings = patient.doctor()
    bad = [each["check"] for each in findings if each["state"] == "bad"]
    assert (code, bad) == (2, ["tenants", "redis: persistence"])
