"""Which profiles have been merged into which, as far as their links have been read."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.apis.genesys import Profile, Profiles
from tasks.errors import NotFound

#: How many profiles are read to follow links: the vendor lets a merge set hold no more.
MAX_PROFILES = 52

#: Per profile, the ids of the profiles merged into it.
Links = Mapping[str, frozenset[str]]


def links_of(profiles: Mapping[str, Profile]) -> Links:
    """Return the links of `profiles`, given under the ids they were asked for.

    A profile that answers under another id has been merged into that one.
    """
    links: dict[str, frozenset[str]] = {}
    for asked, profile in profiles.items():
        resolved = {asked} - {profile.id}
        links[profile.id] = links.get(profile.id, frozenset()) | profile.links | resolved
    return links


def reachable(start: str, links: Links) -> frozenset[str]:
    """Return what has been merged into `start`, directly or by way of others."""
    reached: set[str] = set()
    ahead = [start]
    while ahead:
        found = links.get(ahead.pop(), frozenset()) - reached
        reached |= found
        ahead.extend(found)
    return frozenset(reached)


def read_on(profiles: Mapping[str, Profile], genesys: Profiles) -> Mapping[str, Profile]:
    """Return `profiles` and what their links lead to, at most `MAX_PROFILES` in all.

    A linked profile that is not there has no links. Raises what reading a profile raises.
    """
    found = dict(profiles)
    ahead = _unread(found)
    while ahead and len(found) < MAX_PROFILES:
        for profile_id in ahead[: MAX_PROFILES - len(found)]:
            found[profile_id] = _read(profile_id, genesys)
        ahead = _unread(found)
    return found


def _unread(found: Mapping[str, Profile]) -> list[str]:
    linked = {link for profile in found.values() for link in profile.links}
    return sorted(linked - found.keys())


def _read(profile_id: str, genesys: Profiles) -> Profile:
    try:
        return genesys.read_profile(profile_id)
    except NotFound:
        return Profile(id=profile_id, attributes={}, links=frozenset())
