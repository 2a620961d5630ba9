"""How long a profile lives: until nobody has read or written it for a while."""

from __future__ import annotations

from workers.sandbox.call import Call
from workers.sandbox.cognigy.errors import invalid
from workers.sandbox.cognigy.identifiers import ID
from workers.sandbox.errors import not_found
from workers.sandbox.world import Document

DAY = 86_400.0


def use(call: Call) -> Document:
    """The profile that the path names, which lives on for having been asked for.

    Raises Refused: 400 for what is no id, 404 for an unknown or expired profile.
    """
    profile_id = call.path["profileId"]
    if not ID.fullmatch(profile_id):
        raise invalid("profileId", "must be 24 characters of a-z and 0-9")
    expire(call)
    held = call.organization.cognigy_profiles.get(profile_id)
    if held is None:
        raise not_found("profile", profile_id)
    call.organization.cognigy_used[profile_id] = call.now
    return held


def expire(call: Call) -> None:
    """Remove the profiles that have not been used for long; a seeded one was at the start."""
    used, profiles = call.organization.cognigy_used, call.organization.cognigy_profiles
    last = call.now - call.options.cognigy_profile_days * DAY
    for profile_id in [each for each in profiles if used.get(each, call.world.began) <= last]:
        del profiles[profile_id]
        used.pop(profile_id, None)
