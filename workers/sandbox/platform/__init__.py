"""Genesys Cloud as its published Platform API describes it."""

from __future__ import annotations

from workers.sandbox.platform import (
    analytics,
    analytics_jobs,
    audits,
    available_topics,
    channels,
    configurations,
    contact_merge,
    contact_scan,
    contact_schemas,
    contacts,
    conversations,
    deployments,
    gdpr,
    masking_rules,
    messages,
    recordings,
    subscriptions,
    tokens_me,
)

ROUTES = (
    *tokens_me.ROUTES,
    *contact_schemas.ROUTES,
    *contact_scan.ROUTES,
    *contact_merge.ROUTES,
    *contacts.ROUTES,
    *conversations.ROUTES,
    *configurations.ROUTES,
    *deployments.ROUTES,
    *messages.ROUTES,
    *analytics.ROUTES,
    *analytics_jobs.ROUTES,
    *recordings.ROUTES,
    *masking_rules.ROUTES,
    *audits.ROUTES,
    *gdpr.ROUTES,
    *available_topics.ROUTES,
    *channels.ROUTES,
    *subscriptions.ROUTES,
)
