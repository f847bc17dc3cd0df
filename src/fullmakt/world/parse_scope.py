"""``[[scope]]``: everything that its owner may set (maskinporten.md §7.7)."""

from __future__ import annotations

import re

from fullmakt.world import reading as r
from fullmakt.world.model import Scope

VISIBILITIES = frozenset({"PUBLIC", "PRIVATE", "INTERNAL"})
TOKEN_TYPES = frozenset({"SELF_CONTAINED", "OPAQUE"})
INTEGRATION_TYPES = frozenset(
    {
        "maskinporten", "altinn_virksys", "krr", "eformidling", "idporten", "api_klient", "ansattporten",
        "idporten_saml2",
    }
)  # fmt: skip

_TRANSLATION = re.compile(r"(?:long_)?description#[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})?", re.ASCII)


def read_scope(table: r.Table) -> Scope | None:
    """Read one ``[[scope]]``."""
    name = table.required("name", r.scope_name)
    description = table.required("description", r.text)
    scope = Scope(
        name=name,
        description=description,
        long_description=table.optional("long_description", r.prose),
        translations=_translations(table),
        active=table.flag("active", default=True),
        visibility=table.defaulted("visibility", r.one_of(VISIBILITIES), "PUBLIC"),
        allowed_integration_types=table.texts("allowed_integration_types", r.one_of(INTEGRATION_TYPES)),
        token_type=table.defaulted("token_type", r.one_of(TOKEN_TYPES), "SELF_CONTAINED"),
        delegation_source=table.optional("delegation_source", r.uri),
        accessible_for_all=table.flag("accessible_for_all", default=False),
        at_max_age=table.number_of("at_max_age", 0),
        authorization_max_lifetime=table.number_of("authorization_max_lifetime", 0),
        requires_user_consent=table.flag("requires_user_consent", default=False),
        requires_user_authentication=table.flag("requires_user_authentication", default=False),
        requires_pseudonymous_tokens=table.flag("requires_pseudonymous_tokens", default=False),
        enforced_aud_for_access_token=table.optional("enforced_aud_for_access_token", r.uri),
        protected=table.flag("protected", default=False),
        supports_european_businesses=table.flag("supports_european_businesses", default=False),
    )
    return scope if table.ok else None


def _translations(table: r.Table) -> tuple[tuple[str, str], ...]:
    """Members such as ``"description#en"``, sorted."""
    members = sorted(member for member in table.values if _TRANSLATION.fullmatch(member))
    return tuple(
        (member, table.required(member, r.prose if member.startswith("long_") else r.text)) for member in members
    )
