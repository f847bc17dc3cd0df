"""Delegation sources, prefixes, scopes and accesses, kept by ``fullmakt.maskinporten.selfservice``."""

from __future__ import annotations

from dataclasses import fields

from fullmakt.maskinporten.selfservice import model as registry
from fullmakt.maskinporten.selfservice.service import Operator
from fullmakt.wire.maskinporten.selfservice import ScopeBody
from fullmakt.world.model import Access, DelegationSource, Entry, Kind, Prefix, Scope, World
from fullmakt.world.names import Names


class RegistrySection:
    """The registry, clients aside, as a ``WorldSection``."""

    kinds = (Kind.DELEGATION_SOURCE, Kind.PREFIX, Kind.SCOPE, Kind.ACCESS)

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    async def current(self, names: Names | None) -> World:
        """What the registry holds of the named."""
        accesses = await self._operator.accesses(None if names is None else names.accesses)
        return World(
            delegation_sources=tuple(
                DelegationSource(source.issuer, source.name)
                for source in await self._operator.delegation_sources()
                if names is None or source.issuer in names.delegation_sources
            ),
            prefixes=tuple(
                Prefix(prefix.prefix, prefix.owner_orgno, prefix.active)
                for prefix in await self._operator.prefixes()
                if names is None or prefix.prefix in names.prefixes
            ),
            scopes=tuple(
                _scope(scope) for scope in await self._operator.scopes() if names is None or scope.name in names.scopes
            ),
            accesses=tuple(Access(access.scope, access.consumer_orgno, access.state) for access in accesses),
        )

    async def apply(self, entry: Entry) -> None:
        """Declare it as the operator."""
        match entry:
            case DelegationSource():
                await self._operator.declare_delegation_source(entry.issuer, entry.name)
            case Prefix():
                await self._operator.declare_prefix(entry.prefix, entry.owner, active=entry.active)
            case Scope():
                await self._operator.declare_scope(_scope_body(entry))
            case Access():
                await self._operator.declare_access(entry.scope, entry.consumer, entry.state)
            case _:
                raise TypeError(f"the registry keeps no {type(entry).__name__} here")


_SAME = tuple(
    field.name
    for field in fields(registry.ScopeAttributes)
    if field.name not in {"long_description", "translations", "allowed_integration_types"}
)
"""The members that a scope in the registry and one in the world have in common, value for value."""


def _scope(scope: registry.Scope) -> Scope:
    attributes = scope.attributes
    return Scope(
        name=scope.name,
        long_description=attributes.long_description or None,
        translations=tuple(sorted((member, text) for member, text in attributes.translations.items() if text.strip())),
        allowed_integration_types=tuple(sorted(attributes.allowed_integration_types)),
        **{name: getattr(attributes, name) for name in _SAME},
    )


def _scope_body(scope: Scope) -> ScopeBody:
    return ScopeBody.model_validate(
        {
            "prefix": scope.name.prefix,
            "subscope": scope.name.subscope,
            "long_description": scope.long_description,
            "allowed_integration_types": list(scope.allowed_integration_types),
            **{name: getattr(scope, name) for name in _SAME},
            **dict(scope.translations),
        }
    )
