"""Keep an organisation's masking rules in step with what its tenant wants redacted.

Masking is coarser than redaction: a rule is one regular expression, which knows no conversation, no
checksum and no context. It keeps personal data out of messages before they are stored; what it
misses is left to redaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tasks.apis.masking_rules import MaskingRule, MaskingRules
from tasks.errors import StateChanged
from tasks.pii.findings import Entity
from tasks.pii.rules import RedactionRules, TenantEntity

#: What the names of our rules begin with. Rules of other names are nobody's business here.
PREFIX = "genesys-workers "
DESCRIPTION = "Kept by genesys-workers: changed here, it is changed back"


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """A definition, and a text in which it has to mask something."""

    definition: str
    sample: str


#: Bounded repeats that hold no other repeat, and no look-around: the vendor refuses what it takes
#: for inefficient, and does not say in which dialect of regular expressions it reads them.
PATTERNS: Mapping[Entity, Pattern] = {
    "email": Pattern(
        definition=r"\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,253}\.[A-Za-z]{2,24}\b",
        sample="write to ann@example.com",
    ),
    "phone": Pattern(
        definition=(
            r"\+[0-9][0-9 .()-]{6,18}[0-9]\b"
            r"|\([0-9]{3}\) ?[0-9]{3}[ .-][0-9]{4}\b"
            r"|\b[0-9]{3}[ .-][0-9]{3}[ .-][0-9]{4}\b"
        ),
        sample="call +1 415 555 0100",
    ),
    "ssn": Pattern(definition=r"\b[0-9]{3}[ -][0-9]{2}[ -][0-9]{4}\b", sample="078-05-1120"),
    "credit_card": Pattern(
        definition=r"\b[0-9](?:[ -]?[0-9]){12,18}\b", sample="4111 1111 1111 1111"
    ),
    "ip_address": Pattern(
        definition=(
            r"\b[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\b"
            r"|\b[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]{0,24}[0-9A-Fa-f]\b"
        ),
        sample="from 192.0.2.17",
    ),
    "iban": Pattern(
        definition=(
            r"\b[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4} ?[A-Z0-9]{4} ?[A-Z0-9]{0,4} ?[A-Z0-9]{0,4}"
            r" ?[A-Z0-9]{0,4} ?[A-Z0-9]{0,4} ?[A-Z0-9]{1,4}\b"
        ),
        sample="GB29 NWBK 6016 1331 9268 19",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The rules that a tenant wants, and its entities that no rule can stand for, with the why."""

    rules: tuple[MaskingRule, ...]
    left_out: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What has to be done; `kept` are ours as they should be, `foreign` somebody else's."""

    create: tuple[MaskingRule, ...] = ()
    change: tuple[MaskingRule, ...] = ()
    delete: tuple[MaskingRule, ...] = ()
    kept: tuple[MaskingRule, ...] = ()
    foreign: tuple[MaskingRule, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether everything is as it should be."""
        return not (self.create or self.change or self.delete)


def wanted(rules: RedactionRules) -> Wanted:
    """Return the masking rules for the tenant's entities, its own ones too.

    An entity that needs a checksum or words near it is left out: its pattern alone would mask what
    is not meant.
    """
    left_out = {each.name: why for each in rules.entity if (why := _unfit(each))}
    own = (each for each in rules.entity if each.name not in left_out)
    return Wanted(
        rules=(
            *(_rule(entity, PATTERNS[entity].definition) for entity in rules.entities),
            *(_rule(each.name, each.pattern) for each in own),
        ),
        left_out=left_out,
    )


def plan(wanted: Iterable[MaskingRule], there: Iterable[MaskingRule]) -> Plan:
    """Return what makes our rules among those that are `there` the ones that are `wanted`.

    A rule is ours by its name. Of several with one name the first stays.
    """
    missing = {rule.name: rule for rule in wanted}
    change, delete, kept, foreign = [], [], [], []
    for rule in there:
        should_be = missing.pop(rule.name, None)
        if not rule.name.startswith(PREFIX):
            foreign.append(rule)
        elif should_be is None:
            delete.append(rule)
        elif replace(should_be, id=rule.id) == rule:
            kept.append(rule)
        else:
            change.append(replace(should_be, id=rule.id))
    return Plan(
        create=tuple(missing.values()),
        change=tuple(change),
        delete=tuple(delete),
        kept=tuple(kept),
        foreign=tuple(foreign),
    )


def refusals(rules: Iterable[MaskingRule], genesys: MaskingRules) -> Mapping[str, str]:
    """Have the API try the rules; return name → why, for those that it refuses or that do nothing.

    A tenant's own entity has no sample: whether its rule masks anything is not seen.
    """
    refused: dict[str, str] = {}
    for rule in rules:
        sample = _samples().get(rule.name, "")
        trial = genesys.try_definition(rule.definition, sample or "-")
        if trial.refusal:
            refused[rule.name] = trial.refusal
        elif sample and trial.masked == sample:
            refused[rule.name] = "masks nothing in a text that it is made for"
    return refused


def carry_out(plan: Plan, genesys: MaskingRules) -> Sequence[MaskingRule]:
    """Change the organisation's rules as planned; repeat it after an error, with a plan made anew.

    Rules are deleted before others are changed or made, since no two may have one definition.
    Returns those that were not made, because somebody else's has the same definition already.
    """
    for rule in plan.delete:
        genesys.delete_masking_rule(rule.id)
    for rule in plan.change:
        genesys.change_masking_rule(rule)
    return list(_create_each(plan.create, genesys))


def _create_each(rules: Iterable[MaskingRule], genesys: MaskingRules) -> Iterator[MaskingRule]:
    for rule in rules:
        try:
            genesys.create_masking_rule(rule)
        except StateChanged:
            yield rule


def _rule(entity: str, definition: str) -> MaskingRule:
    return MaskingRule(name=PREFIX + entity, definition=definition, description=DESCRIPTION)


def _unfit(entity: TenantEntity) -> str:
    if entity.context:
        return "a masking rule knows no context words"
    return "a masking rule knows no checksum" if entity.checksum != "none" else ""


def _samples() -> Mapping[str, str]:
    return {PREFIX + entity: pattern.sample for entity, pattern in PATTERNS.items()}
