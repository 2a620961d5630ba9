"""Typed configuration from the environment and a `.env` file.

Everything is read once, validated, and handed in. A wrong value stops the start with one line that
names the variable and the rule, never the value.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from pydantic_settings import SettingsError as InvalidSettings

from tasks.apis.calls import Timeouts
from tasks.errors import SettingsError
from tasks.refusals import explain
from tasks.waiting import Waiting
from workers import broker
from workers.auditing import audit
from workers.letters import sealing
from workers.limits import rates
from workers.metrics import address
from workers.policy import Adjustable, Adjustment

ENV_FILE = ".env"


def _listed(value: Any) -> Any:
    """Return the names that a variable lists, separated by commas."""
    if not isinstance(value, str):
        return value
    return tuple(name for part in value.split(",") if (name := part.strip()))


Rates = Annotated[
    dict[str, float],
    NoDecode,
    BeforeValidator(lambda value: rates.parse_rates(value) if isinstance(value, str) else value),
]


MetricsAddress = Annotated[str, AfterValidator(address.checked)]

Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]


class Settings(BaseSettings):
    """What the environment says; the README's table explains each variable."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE,
        env_nested_delimiter="__",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    redis_url: str = Field(default="redis://localhost:6379/0", repr=False)
    result_backend: str | None = Field(default=None, repr=False)
    tenants_file: Path | None = None
    queue_rates: Rates = {}
    #: Several are separated by commas: the first one seals, all of them open.
    seal_key: SecretStr | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"
    #: Seconds after its last sign of life that a worker's messages are run by another one.
    lease_seconds: Annotated[float, Field(ge=1, le=3_600, allow_inf_nan=False)] = 30.0
    #: Seconds after which a finished operation is forgotten.
    ledger_seconds: Annotated[int, Field(gt=0)] = 7 * 86_400
    #: Where workers write audit records besides Redis; none without it.
    audit_dir: Path | None = None
    #: About how many audit records stay in Redis per tenant, never fewer.
    audit_records: Annotated[int, Field(ge=1_000)] = audit.KEEP
    #: Where a worker shows what it counts, and `metrics` the cluster; nowhere without it.
    metrics_address: MetricsAddress | None = None
    #: Where the bridge's receiver, health and metrics are; by TLS where both files are given.
    receiver_address: Annotated[str, Field(pattern=r"^[^\s/]*:\d{1,5}$")] = "127.0.0.1:8090"
    receiver_tls_cert: Path | None = None
    receiver_tls_key: Path | None = None
    #: How often, and for how long, a replication is asked whether it has ended.
    replication: Waiting = Waiting()
    #: Seconds, each on its own: `TIMEOUTS__MERGE=45`.
    timeouts: Timeouts = Timeouts()
    #: Numbers of the error policy's table: `ERROR_POLICY__409__TRIES=3`.
    error_policy: dict[Adjustable, Adjustment] = {}

    genesys_api: str | None = None
    genesys_region: str | None = None
    genesys_api_url: str | None = None
    genesys_login_url: str | None = None
    genesys_client_id: str | None = None
    genesys_client_secret: SecretStr | None = None
    genesys_requests_per_minute: int | None = None
    cxone_url: str | None = None
    cxone_client_id: str | None = None
    cxone_client_secret: SecretStr | None = None
    cxone_requests_per_minute: int | None = None
    cxone_coalesce_seconds: float | None = None
    bridge_rules: Path | None = None
    bridge_queues: Names | None = None
    bridge_contacts: Names | None = None
    bridge_topics: Names | None = None
    bridge_secret: SecretStr | None = None
    bridge_sources: Names | None = None
    #: Who may look at Flower: this user by this password, and each user:password that is listed.
    flower_user: str = "admin"
    flower_password: SecretStr | None = None
    flower_basic_auth: SecretStr | None = None

    @field_validator("redis_url", "result_backend")
    @classmethod
    def _is_a_redis_url(cls, value: str | None) -> str | None:
        if value is not None:
            broker.parse(value)
        return value

    @field_validator("error_policy")
    @classmethod
    def _means_something(cls, value: dict[Adjustable, Adjustment]) -> dict[Adjustable, Adjustment]:
        limited = value.get("429", Adjustment())
        if limited.tries is not None or limited.longest_wait is not None:
            raise ValueError("429 uses up no tries: FIRST_WAIT and DEADLINE are what it takes")
        return value

    @field_validator("seal_key")
    @classmethod
    def _lists_fernet_keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                sealing.fernets(value.get_secret_value())
            except ValueError:
                raise ValueError(
                    "must be a Fernet key, 32 bytes in URL-safe base64, or several with commas"
                ) from None
        return value

    @classmethod
    def load(cls, **chosen: Any) -> Self:
        """Read the environment; what is `chosen` goes before it.

        Raises `SettingsError` naming the variable and the rule.
        """
        try:
            return cls(**chosen)
        except (InvalidSettings, UnicodeDecodeError):
            raise SettingsError("a variable or .env is neither UTF-8 nor JSON") from None
        except ValidationError as error:
            variable, _, rule = explain(error, str).partition(": ")
            raise SettingsError(f"{variable.upper().replace('.', '__')}: {rule}") from None

    def rate(self, queue: str) -> float:
        """Return the messages per second of `queue`: its own setting, else its kind's."""
        kind, _ = rates.split_queue(queue)
        chosen = {**rates.DEFAULT_RATES, **self.queue_rates}
        return chosen.get(queue, chosen[kind])
