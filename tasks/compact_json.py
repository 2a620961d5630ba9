"""JSON: what it can hold, and the form in which it is sent on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import simplejson

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


def compact_json(value: object) -> bytes:
    """Return `value` as JSON in the form sent on the wire: UTF-8, no spaces, decimals exact."""
    text = simplejson.dumps(value, ensure_ascii=False, use_decimal=True, separators=(",", ":"))
    # What UTF-8 cannot hold (a lone surrogate of a vendor's) becomes its JSON escape.
    return text.encode(errors="backslashreplace")
