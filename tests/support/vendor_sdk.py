"""The vendor's own SDK for Python, pointed at a sandbox.

It is large, comes by the extra `sdk`, and takes seconds to be imported: only what asks for it
pays. Importing it reads `~/.genesyscloudpython/config` and starts a thread that watches that file;
a home folder of its own, with a file that switches the thread off, spares us both.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from workers.sandbox.testing import SandboxHandle

NAME = "PureCloudPlatformClientV2"
CLIENT = "vendor-sdk"
SECRET = "vendor-sdk-secret"
JSON = "application/json"
#: What the SDK makes of a value that it does not know.
UNKNOWN = "outdated_sdk_version"


class VendorSdk:
    """The SDK's module, and one client of it."""

    def __init__(self, module: Any, sandbox: SandboxHandle) -> None:
        self._module = module
        self._client = module.ApiClient(host=sandbox.platform_url)
        self._client.get_client_credentials_token(CLIENT, SECRET)
        self._client.deserialize = self._read
        self.refusal: type[Any] = module.rest.ApiException

    def api(self, name: str) -> Any:
        """Return the methods of an area, `ExternalContacts` for instance."""
        return getattr(self._module, f"{name}Api")(self._client)

    def model(self, name: str, /, **fields: Any) -> Any:
        """Return a body of the SDK's own kind, with these fields."""
        made = getattr(self._module, name)()
        for field, value in fields.items():
            # It would take any attribute, and send none that it does not know.
            assert field in made.swagger_types, f"{name} has no {field}"
            setattr(made, field, value)
        return made

    def unknown_fields(self, name: str, body: Mapping[str, Any]) -> set[str]:
        """Return the fields of a body, however deep, that the SDK's model of it does not have.

        A value that the model does not know fails the test.
        """
        self._read(SimpleNamespace(data=json.dumps(body), getheader=lambda _: JSON), name)
        made = getattr(self._module, name)()
        kinds = {made.attribute_map[each]: kind for each, kind in made.swagger_types.items()}
        unknown = body.keys() - kinds.keys()
        for field in body.keys() & kinds.keys():
            kind = kinds[field].removeprefix("list[").removesuffix("]")
            if hasattr(self._module, kind):
                held = body[field] if isinstance(body[field], list) else [body[field]]
                unknown |= set().union(*(self.unknown_fields(kind, each) for each in held))
        return {f"{name}.{each}" if "." not in each else each for each in unknown}

    def status(self) -> int:
        """Return the status of the last answer that was no refusal."""
        status: int = self._client.last_response.status
        return status

    def _read(self, response: Any, kind: str) -> Any:
        read = type(self._client).deserialize(self._client, response, kind)
        assert UNKNOWN not in repr(read), "the answer holds a value that the SDK does not know"
        return read

    def close(self) -> None:
        """Close its connections."""
        self._client.get_http_client().rest_client.pool_manager.clear()


def load(folder: Path) -> Any:
    """Import the SDK, with `folder` as its home, or skip the test where it is not installed.

    With `REQUIRE_SDK` set, the test fails instead.
    """
    if importlib.util.find_spec(NAME) is None:
        without = pytest.fail if os.environ.get("REQUIRE_SDK") else pytest.skip
        without("the vendor's SDK is not installed (extra `sdk`)")
    config = folder / ".genesyscloudpython" / "config"
    config.parent.mkdir()
    config.write_text("[general]\nlive_reload_config = false\n", "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        return importlib.import_module(NAME)


def connect(module: Any, sandbox: SandboxHandle) -> VendorSdk:
    """Return the SDK as a client of its own, of the organisation `default`."""
    sandbox.put_client(CLIENT, secret=SECRET, system="platform", organization="default")
    return VendorSdk(module, sandbox)
