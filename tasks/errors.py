"""Every error this project raises on purpose, drawn as one tree.

    WorkerError
    ├── SettingsError            a setting is missing or wrong: the start stops
    │   └── RulesError           so is a rule of the bridge: names file, line and rule
    ├── OperationError           how an operation ends without success; final
    │   ├── Rejected             the request can never work
    │   ├── Conflict             somebody else won, after all tries
    │   ├── Unsupported          this API contract cannot do it
    │   └── Failed               tries used up, outcome unknown or undone
    ├── Postponed                not yet: the message goes back and costs no try
    ├── DetectorFailed           a detector of personal data could not look at a text
    ├── UnreadableEvent          what came in as an event cannot be read as one
    ├── BrokerAway               messages cannot be put on the broker at the moment
    └── ApiError                 what an outside system answered
        ├── BadRequest           3xx, 400 and other final 4xx
        │   └── TooLarge         the answer is longer than we read
        ├── Unauthenticated      401, also after the token was renewed once
        ├── Forbidden            403, names the scope or permission
        ├── NotFound             404
        ├── StateChanged         409
        │   └── Unconfirmed      reading back showed something else than was written
        ├── Unprocessable        422, or a 400 that names fields: carries fields and codes
        ├── RateLimited          429, carries the server's wait
        └── OutcomeUnknown       5xx, timeout, reset, unreadable answer
            └── Unreachable      no connection: nothing was sent

No message holds a secret or personal data: they are built from names, ids, codes and numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar


class WorkerError(Exception):
    """Base class of every error of this project."""


class SettingsError(WorkerError):
    """Raised at start when a setting is missing or wrong; the text names the variable or table.

    A process that cannot go on without it ends with `exit_code`.
    """

    exit_code: ClassVar[int] = 2


class RulesError(SettingsError):
    """Raised where a rules file is wrong, with the line and the rule that it breaks."""


class OperationError(WorkerError):
    """Raised when an operation ends without success; `status` is the result's status."""

    status: ClassVar[str]


class Rejected(OperationError):
    """Raised when a request can never work, with the field and the rule it breaks."""

    status = "rejected"


class Conflict(OperationError):
    """Raised when another writer kept winning until the tries were used up."""

    status = "conflict"


class Unsupported(OperationError):
    """Raised when the tenant's API contract cannot do what was asked; says what it can do."""

    status = "unsupported"


class Failed(OperationError):
    """Raised when all tries were used up and the effect could not be achieved or confirmed."""

    status = "failed"


class Postponed(WorkerError):
    """Raised when work has to wait: for a budget, a pause, a rate, a lock, or for what has to end.

    `wait` is in seconds, and no try is used up. With a `deadline`, in seconds counted from the
    operation's first attempt, the operation ends as `failed` where it would have to wait longer.
    `kind` is a word for the reason, to be counted.
    """

    def __init__(
        self, reason: str, wait: float, deadline: float | None = None, *, kind: str = "waiting"
    ) -> None:
        super().__init__(reason, wait, deadline)
        self.kind = kind
        self.reason = reason
        self.wait = wait
        self.deadline = deadline

    def __str__(self) -> str:
        return f"{self.reason}, {self.wait:.1f} s"


class DetectorFailed(WorkerError):
    """Raised where a detector could not look at a text: nothing of it may count as clean."""


class UnreadableEvent(WorkerError):
    """Raised where what came in is no event; `reason` is one of few short texts, to be counted."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BrokerAway(WorkerError):
    """Raised where the broker takes no messages: nothing of what was to be put counts as put."""


class ApiError(WorkerError):
    """Base class of what an outside system answered.

    `system` is `genesys`, `cxone` or `cognigy`, `route` the path template (ids never appear),
    `status` the HTTP status or None where none arrived, `code` the vendor's error code where there
    is one, `context_id` what its support asks for, `note` what the use case adds to the text.
    """

    note: str = ""

    def __init__(
        self,
        *,
        system: str,
        method: str,
        route: str,
        status: int | None,
        code: str = "",
        context_id: str = "",
    ) -> None:
        super().__init__(system, method, route, status, code, context_id)
        self.system = system
        self.method = method
        self.route = route
        self.status = status
        self.code = code
        self.context_id = context_id

    def __str__(self) -> str:
        answer = "gave no answer" if self.status is None else f"answered {self.status}"
        code = f" {self.code}" if self.code else ""
        context = f" (contextId {self.context_id})" if self.context_id else ""
        note = f"; {self.note}" if self.note else ""
        return f"{self.system} {answer}{code} to {self.method} {self.route}{context}{note}"


class BadRequest(ApiError):
    """Raised on 400, on any 4xx without a class of its own, and on a redirect: none is followed."""


class TooLarge(BadRequest):
    """Raised where an answer is longer than `limit` bytes: the next one would be so too."""

    def __init__(self, *, limit: int, **where: object) -> None:
        super().__init__(**where)  # type: ignore[arg-type]  # the base class's keywords
        self.limit = limit

    def __str__(self) -> str:
        return f"{super().__str__()} with more than {self.limit:,} bytes, which is the limit"


class Unauthenticated(ApiError):
    """Raised when a renewed token is refused too, or the token endpoint refuses the client."""


class Forbidden(ApiError):
    """Raised on 403; `missing` names the OAuth scope or permission the call needs."""

    def __init__(self, *, missing: str, **where: object) -> None:
        super().__init__(**where)  # type: ignore[arg-type]  # the base class's keywords
        self.missing = missing

    def __str__(self) -> str:
        return f"{super().__str__()}: the OAuth client needs {self.missing}"


class NotFound(ApiError):
    """Raised on 404: the resource is unknown or has ended."""


class StateChanged(ApiError):
    """Raised on 409: read again and decide again.

    `version` is the current one, if told; `named` holds the ids that the answer names as being in
    the way, if it does.
    """

    def __init__(
        self, *, version: str | None = None, named: Iterable[str] = (), **where: object
    ) -> None:
        super().__init__(**where)  # type: ignore[arg-type]  # the base class's keywords
        self.version = version
        self.named = frozenset(named)


class Unconfirmed(StateChanged):
    """Raised when `what` was written and reading it back shows something else."""

    def __init__(self, what: str, system: str = "genesys") -> None:
        super().__init__(system=system, method="GET", route="", status=200)
        self.what = what

    def __str__(self) -> str:
        return f"{self.what}: reading back shows something else than was written"


class Unprocessable(ApiError):
    """Raised on 422, or on a 400 that names fields.

    `fields` maps each refused field to the vendor's code, texts left out.
    """

    def __init__(self, *, fields: Mapping[str, str], **where: object) -> None:
        super().__init__(**where)  # type: ignore[arg-type]  # the base class's keywords
        self.fields = dict(fields)

    def __str__(self) -> str:
        listed = ", ".join(f"{field}: {code}" for field, code in self.fields.items())
        return f"{super().__str__()}{': ' if listed else ''}{listed}"


class RateLimited(ApiError):
    """Raised on 429; `retry_after` is the server's wait in seconds, None if it named none."""

    def __init__(self, *, retry_after: float | None, **where: object) -> None:
        super().__init__(**where)  # type: ignore[arg-type]  # the base class's keywords
        self.retry_after = retry_after


class OutcomeUnknown(ApiError):
    """Raised on 5xx, timeout, reset or an unreadable answer: a write may have taken effect.

    `settling` is how many seconds it may take until reading back tells whether it did.
    """

    settling: float = 0.0


class Unreachable(OutcomeUnknown):
    """Raised when no connection could be opened: nothing was sent, so nothing happened."""
