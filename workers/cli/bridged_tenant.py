"""The tenant whose events a command is about, and its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.errors import SettingsError
from workers.bridge.settings import BridgeSettings
from workers.cli.one_tenant import check_tenant

if TYPE_CHECKING:
    from workers.app import Services
    from workers.bridge.judging.rules import RuleSet


def bridged(services: Services, tenant: str) -> tuple[BridgeSettings, RuleSet]:
    """Return what a tenant's bridge listens to, and its rules.

    Raises `BadParameter` for a tenant that does not exist, and `SettingsError` for one that has no
    bridge, or whose rules are wrong.
    """
    from workers.bridge.judging import rules

    check_tenant(services, tenant)
    settings = services.tenants[tenant].bridge
    if settings is None:
        raise SettingsError(f"tenants.{tenant}.bridge: is required (or BRIDGE_… variables)")
    return settings, rules.chosen(settings.rules)
