"""The masking seam: rules by which the API masks future messages before it stores them.

Only the `platform` contract has it. Every verb may raise the `ApiError` of its answer or
`Postponed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class MaskingRule:
    """A regular expression whose matches are masked. `id` is empty for a rule yet to be made.

    `substitute` takes the place of each masked character; `kind` is the vendor's: `Custom` for a
    rule by regular expression, `Predefined` or `Default` for the vendor's own.
    """

    name: str
    definition: str
    description: str = ""
    substitute: str = "*"
    enabled: bool = True
    kind: str = "Custom"
    id: str = ""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What the API makes of a definition: what it masks in a text, or why it refuses it."""

    masked: str = ""
    refusal: str = ""


class MaskingRules(Protocol):
    """The masking rules of an organisation."""

    def masking_rules(self) -> Sequence[MaskingRule]: ...

    def try_definition(self, definition: str, text: str) -> Trial:
        """Have a definition applied to a text, without any effect."""
        ...

    def create_masking_rule(self, rule: MaskingRule) -> None:
        """Make a rule. Raises `StateChanged` where there is one of this definition already."""
        ...

    def change_masking_rule(self, rule: MaskingRule) -> None:
        """Let the rule of this id be as `rule` says."""
        ...

    def delete_masking_rule(self, rule_id: str) -> None:
        """Remove a rule; one that is gone already counts as removed."""
        ...
