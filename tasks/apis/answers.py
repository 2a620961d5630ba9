"""What an answer that is no success means: from status and body to an `ApiError`.

No text of a body is passed on, since it may quote a value: only codes, field names and numbers are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tasks import errors
from tasks.apis.calls import Answer, Call
from tasks.apis.dialects import GUIDE, Dialect
from tasks.fields import is_identifier

#: Five digits in a row, also with a separator in between, may be somebody's number.
_NO_NUMBER = r"(?!.*(?:[0-9][._:\- ]?){5})"
_CODE = re.compile(_NO_NUMBER + r"[A-Za-z][A-Za-z0-9._\-]{0,79}")
_SCOPE = re.compile(_NO_NUMBER + r"[A-Za-z][A-Za-z0-9._:\-]{0,79}")
#: The id that a vendor's support asks for: a UUID, behind the name of a service (`api--`) or not.
_CONTEXT = re.compile(r"([a-z]{1,16}--)?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CONTEXT_IDS = ("contextId", "uid", "traceId")
#: A code that is a number has so few digits that it is nobody's.
LARGEST_CODE = 9_999
_PERMISSION = re.compile(r"[A-Za-z]{1,40}(:[A-Za-z*]{1,40}){2}")
_VERSION = re.compile(r"[A-Za-z0-9._\-]{1,80}")
_FIELD = re.compile(_NO_NUMBER + r"[A-Za-z_][A-Za-z0-9_.\[\]\-]{0,79}")
#: A name of the request's own, in any language.
_NAME = re.compile(_NO_NUMBER + r"[^\W\d][\w .\-]{0,79}")


def explain(
    system: str, call: Call, answer: Answer, now: float, dialect: Dialect = GUIDE
) -> errors.ApiError:
    """Return the error that `answer` to `call` stands for; `now` is the epoch time in seconds."""
    body = _body(answer)
    where = _where(system, call, answer)
    match answer.status:
        case 401:
            return errors.Unauthenticated(**where)
        case 403:
            missing = _matching(_SCOPE, body.get("scope")) or _permissions(body) or call.needs
            return errors.Forbidden(missing=missing, **where)
        case 404:
            return errors.NotFound(**where)
        case 409:
            return errors.StateChanged(version=_version(body), named=_named(body), **where)
        case 422:
            return refused(system, call, answer)
        case 429:
            return errors.RateLimited(retry_after=dialect.wait(answer, now), **where)
        case status if 300 <= status < 500 and status != 408:
            return errors.BadRequest(**where)
        case _:
            return errors.OutcomeUnknown(**where)


def refused(
    system: str, call: Call, answer: Answer, names: Iterable[str] = ()
) -> errors.Unprocessable:
    """Return the error for a refused body, with those of the request's `names` its text mentions.

    The text is the guides' `errorDescription`, or the `detail` of RFC 7807.
    """
    body = _body(answer)
    text = body.get("errorDescription") or body.get("detail")
    mentioned = dict.fromkeys(_mentioned(text, names), "refused")
    return errors.Unprocessable(
        fields={**_fields(body), **mentioned}, **_where(system, call, answer)
    )


def explain_token(
    system: str, call: Call, answer: Answer, now: float, dialect: Dialect = GUIDE
) -> errors.ApiError:
    """Return the error for an answer of the token endpoint, whose 4xx are about the client.

    A 404 above all means a wrong path, not that what the operation asked for is unknown; a 400 may
    say that too many tokens were asked for.
    """
    if dialect.throttled(answer):
        wait = dialect.wait(answer, now)
        return errors.RateLimited(retry_after=wait, **_where(system, call, answer))
    error = explain(system, call, answer, now, dialect)
    if isinstance(error, errors.RateLimited | errors.OutcomeUnknown):
        return error
    refused = errors.Unauthenticated(
        system=system, method=call.method, route=call.route, status=answer.status, code=error.code
    )
    refused.note = "check the client's id, secret (or key) and scope, and token_path"
    return refused


def unknown(system: str, call: Call, status: int | None = None) -> errors.OutcomeUnknown:
    """Return the error for a call without a readable answer."""
    return errors.OutcomeUnknown(system=system, method=call.method, route=call.route, status=status)


def too_large(system: str, call: Call, status: int, limit: int) -> errors.TooLarge:
    """Return the error for an answer of more than `limit` bytes."""
    return errors.TooLarge(
        limit=limit, system=system, method=call.method, route=call.route, status=status
    )


def unreachable(system: str, call: Call) -> errors.Unreachable:
    """Return the error for a call that never left."""
    return errors.Unreachable(system=system, method=call.method, route=call.route, status=None)


def _body(answer: Answer) -> Mapping[str, Any]:
    return answer.body if isinstance(answer.body, dict) else {}


def _where(system: str, call: Call, answer: Answer) -> dict[str, Any]:
    body = _body(answer)
    return {
        "system": system,
        "method": call.method,
        "route": call.route,
        "status": answer.status,
        "code": _code(body),
        "context_id": next(
            filter(None, (_matching(_CONTEXT, body.get(name)) for name in _CONTEXT_IDS)), ""
        ),
    }


def _code(body: Mapping[str, Any]) -> str:
    """Return the code of an error: a word, the number of a Cognigy problem, CXone's first one."""
    number = body.get("code")
    if type(number) is int and 0 <= number <= LARGEST_CODE:
        return str(number)
    listed = (entry.get("errorCode") for entry in _entries(body, "errors"))
    given = (body.get("code"), body.get("error"), *listed)
    return next(filter(None, (_matching(_CODE, each) for each in given)), "")


def _matching(pattern: re.Pattern[str], value: object) -> str:
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""


def _version(body: Mapping[str, Any]) -> str | None:
    version = body.get("version")
    return _matching(_VERSION, str(version) if type(version) is int else version) or None


def _named(body: Mapping[str, Any]) -> set[str]:
    """Return the profile ids that the `details[]` of an error name."""
    ids = (entry.get("profileId") for entry in _entries(body, "details"))
    return {each for each in ids if is_identifier(each)}


def _permissions(body: Mapping[str, Any]) -> str:
    """Return the permissions that the `messageParams` of a platform's 403 name."""
    params = body.get("messageParams")
    given = [v for k, v in params.items() if "permission" in k] if isinstance(params, dict) else []
    names = (
        name for text in given if isinstance(text, str) for name in re.split(r"[][,\s]+", text)
    )
    return ", ".join(name for name in names if _PERMISSION.fullmatch(name))


def _fields(body: Mapping[str, Any]) -> dict[str, str]:
    """Return field → code: the guides' and CXone's `errors[]`, and the platform's `details[]`.

    One of CXone's `errors[]` with an empty field is about the request as a whole.
    """
    listed = [
        (entry.get("field"), entry.get("code") or entry.get("errorCode"))
        for entry in _entries(body, "errors")
        if entry.get("field") != ""
    ]
    listed += [
        (entry["fieldName"], entry.get("errorCode"))
        for entry in _entries(body, "details")
        if entry.get("fieldName")
    ]
    return {
        _matching(_FIELD, field) or "?": _matching(_CODE, code) or "?" for field, code in listed
    }


def _mentioned(text: object, names: Iterable[str]) -> list[str]:
    """Return the names that stand in `text` as whole words; one that looks like a value as `?`."""
    return [
        _matching(_NAME, name) or "?"
        for name in filter(None, map(str.strip, names))
        if isinstance(text, str) and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
    ]


def _entries(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    listed = body.get(name)
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
