"""Arguments of messages as workers, events and Flower may show them: names, never values."""

from __future__ import annotations

import json
from typing import Any

from billiard.exceptions import WorkerLostError
from celery.exceptions import InvalidTaskError
from celery.worker.request import Request

from tasks.errors import Failed
from tasks.refusals import shown_name
from workers.consuming.parking import park
from workers.transport.leases import Leases


def mask_arguments(arguments: Any) -> str:
    """Return the names of a message's arguments: `{contact_id, tenant}`."""
    names = sorted(map(shown_name, arguments)) if isinstance(arguments, dict) else ["?"]
    return "{" + ", ".join(names) + "}"


class MaskedRequest(Request):
    """A request whose arguments are shown masked, whatever the producer put beside them.

    Raises `InvalidTaskError` for a body that is no list of arguments and keyword arguments.
    """

    _request_dict: dict[str, Any]
    _type: str
    _message: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        positional, arguments = self.args, self.kwargs
        if not isinstance(positional, list | tuple) or not isinstance(arguments, dict):
            raise InvalidTaskError("the body is no pair of a list and an object")
        self._argsrepr = f"({len(positional)} positional)" if positional else "()"
        self._kwargsrepr = mask_arguments(arguments)
        # A producer may choose another `shadow` name freely.
        self.name = self._type  # type: ignore[misc]  # no property at run time
        self._request_dict.update(argsrepr=self._argsrepr, kwargsrepr=self._kwargsrepr)

    def on_accepted(self, pid: Any, time_accepted: float) -> None:
        """Remember that the message is being carried out."""
        self._leases.started(self._tag)
        super().on_accepted(pid, time_accepted)

    def on_retry(self, exc_info: Any) -> None:
        """Put the message back, due when the task says, and tell of it as Celery does, and why."""
        retry = getattr(exc_info.exception, "exc", None) or exc_info.exception
        self._leases.put_back(self._tag, float(retry.when or 0))
        self.acknowledge()
        self.send_event("task-retried", exception=str(retry), traceback="")

    def on_failure(
        self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False
    ) -> Any:
        """Count the death of a pool's process against the message that it carried out."""
        lost = getattr(exc_info.exception, "exc", None) or exc_info.exception
        if isinstance(lost, WorkerLostError):
            self._leases.lose(self._tag)
            self._app.services.counts.fault("process_died")  # type: ignore[attr-defined]  # this project's app
        return super().on_failure(exc_info, send_failed_event, return_ok)

    @property
    def _leases(self) -> Leases:
        leases: Leases = self._app.services.leases  # type: ignore[attr-defined]  # this project's
        return leases

    @property
    def _tag(self) -> str:
        return str(self._message.delivery_tag)

    def _announce_revoked(self, reason: str, *args: Any, **kwargs: Any) -> None:
        """Keep the message, which nobody is going to carry out, and say so as Celery does."""
        park(
            self._app.services,  # type: ignore[attr-defined]  # this project's app
            json.dumps(self.kwargs, default=str).encode(),
            queue=str(self.delivery_info["routing_key"]),
            headers=self._request_dict,
            reason="expires: was over before it could run" if reason == "expired" else "revoked",
            status=Failed.status,
            kind="expired" if reason == "expired" else "revoked",
            tag=self._tag,
        )
        super()._announce_revoked(reason, *args, **kwargs)  # type: ignore[misc]  # not in the stubs

    def info(self, safe: bool = False) -> Any:  # noqa: ARG002  # Celery's signature
        """Return what `inspect` shows of this request, the safe form in any case."""
        return super().info(safe=True)
