"""Whether the notification service would tell a tenant's bridge of all its topics.

No channel is made for that: which channels there are, which topics, and what these ask for, can be
read; what the client lacks of it is asked as for tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tasks.apis.calls import Call
from tasks.apis.notifications import MOST_CHANNELS, AvailableTopic
from tasks.apis.systems import offered
from tasks.errors import ApiError, WorkerError
from workers.bridge.listening.subscriptions import divide
from workers.bridge.listening.topics import shards
from workers.doctor.bridges import alive
from workers.doctor.finding import Finding, bad, ok, warn
from workers.doctor.probe import LATER, Prober
from workers.doctor.rules import Listening, named
from workers.doctor.visit import Visit

CONTRACT = "see whether the client may use notifications, and whether `api` is its contract"


def free(visit: Visit, what: Listening) -> Iterator[Finding]:
    """Find whether there is a channel for each thousand topics."""
    try:
        with visit.systems() as opened:
            used = offered(opened.notifications).channels_in_use()
    except ApiError as error:
        yield bad(str(error), CONTRACT)
    except WorkerError as error:
        yield warn(f"not asked for: {error}", LATER)
    else:
        own = sum(each.channels for each in alive(visit.services, what.tenant) if each.leads)
        yield _counted(used, own, len(shards(what.topics.wanted)))


def _counted(used: int, own: int, needed: int) -> Finding:
    said = f"{used} of {MOST_CHANNELS} channels of the client are in use, {needed} are needed"
    if used - own + needed > MOST_CHANNELS:
        return bad(
            f"{said}: one more takes another's place, which then hears nothing",
            "give the bridge a client of its own, or end what else listens by this one",
        )
    return ok(said)


def told(visit: Visit, what: Listening, probes: Prober, known: Sequence[Call]) -> Iterator[Finding]:
    """Find topics that do not exist, and the permissions that the client lacks for others.

    `known` are the calls that tell whether it has a permission.
    """
    try:
        with visit.systems() as opened:
            available = offered(opened.notifications).available_topics()
    except ApiError as error:
        yield bad(str(error), CONTRACT)
        return
    except WorkerError as error:
        yield warn(f"not asked for: {error}", LATER)
        return
    wanted = what.topics.wanted
    _, strange = divide(wanted, available)
    if strange:
        yield bad(
            f"no channel can listen to {named(tuple(strange))}",
            "correct them in [tenants.NAME.bridge], or hear of them by EventBridge",
        )
    for kind in available:
        if topics := divide(wanted, [kind])[0]:
            yield permitted(kind, len(topics), probes, known)


def permitted(kind: AvailableTopic, count: int, probes: Prober, known: Sequence[Call]) -> Finding:
    """Find what the client lacks to hear of `count` topics of a kind."""
    said, needed = f"{kind.template} ({count})", ", ".join(kind.permissions) or "nothing"
    if not known:
        return ok(f"{said}: there is such a topic; it asks for {needed}")
    by_name = {call.needs: call for call in known}
    try:
        missing = [
            lacked
            for name in kind.permissions
            if name in by_name and (lacked := probes.missing(by_name[name]))
        ]
    except WorkerError as error:
        return warn(f"{said}: could not be asked: {error}", LATER)
    if missing:
        # Of several, one may be enough: the service does not say so.
        found = bad if len(missing) == len(kind.permissions) else warn
        return found(f"{said}: missing: {', '.join(missing)}", probes.remedy)
    if untold := [name for name in kind.permissions if name not in by_name]:
        return warn(
            f"{said}: cannot be asked: {', '.join(untold)}", "look at the client's roles yourself"
        )
    return ok(f"{said}: held: {needed}")
