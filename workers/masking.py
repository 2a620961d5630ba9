"""Arguments of messages as workers, events and Flower may show them: names, never values."""

from __future__ import annotations

from typing import Any

from celery.exceptions import InvalidTaskError
from celery.worker.request import Request

from tasks.refusals import shown_name


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

    def info(self, safe: bool = False) -> Any:  # noqa: ARG002  # Celery's signature
        """Return what `inspect` shows of this request, the safe form in any case."""
        return super().info(safe=True)
