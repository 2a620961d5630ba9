"""Who changed something, as documents say it."""

from __future__ import annotations

import uuid

from workers.sandbox.world import Document


def user(client_id: str) -> Document:
    """A reference to the user that a client acts as; the same client is the same user."""
    user_id = str(uuid.uuid5(uuid.NAMESPACE_URL, client_id))
    return {"id": user_id, "selfUri": f"/api/v2/users/{user_id}"}
