"""Whose access counts (maskinporten.md §4.2): the rule and the registry's statement say the same, client by client."""

from __future__ import annotations

from itertools import product

from fullmakt.infra.database import Database
from fullmakt.maskinporten.selfservice.registry import PostgresRegistry
from fullmakt.maskinporten.tokens import rules
from fullmakt.wire.maskinporten.grant import INTEGRATION_TYPES_WITH_GRANT
from tests.support.tokens import ORGNO, SUPPLIER, RegistryRows

STRANGER = "312345677"
ORGANISATIONS = (ORGNO, SUPPLIER, STRANGER)
KINDS = list(product((None, SUPPLIER), (False, True), sorted(INTEGRATION_TYPES_WITH_GRANT)))


async def test_the_registry_looks_at_the_access_of_the_organisation_that_the_rule_names(database: Database) -> None:
    rows = RegistryRows(database)
    scopes = {orgno: f"demo:for-{orgno}" for orgno in ORGANISATIONS}
    for orgno, scope in scopes.items():
        await rows.scope(scope, access=[orgno])
    for number, (supplier, made_by_altinn, kind) in enumerate(KINDS):
        columns = {"supplier_orgno": supplier, "made_by_altinn": made_by_altinn, "integration_type": kind}
        await rows.client(f"client-{number}", keys=[], scopes=list(scopes.values()), **columns)
    registry = PostgresRegistry(database)
    clients = await registry.clients([f"client-{number}" for number in range(len(KINDS))])
    await registry.close()
    assert len(clients) == len(KINDS)
    for client in clients.values():
        accessible = {scope.name for scope in client.scopes if scope.access}
        assert accessible == {scopes[rules.access_holder(client)]}, client


async def test_the_owner_of_a_prefix_needs_no_access_when_it_is_the_one_that_counts(database: Database) -> None:
    rows = RegistryRows(database)
    await rows.prefix("own", SUPPLIER)
    await rows.scope("own:api", access=[])
    for number, (supplier, made_by_altinn, kind) in enumerate(KINDS):
        columns = {"supplier_orgno": supplier, "made_by_altinn": made_by_altinn, "integration_type": kind}
        await rows.client(f"client-{number}", keys=[], scopes=["own:api"], **columns)
    registry = PostgresRegistry(database)
    clients = await registry.clients([f"client-{number}" for number in range(len(KINDS))])
    await registry.close()
    assert len(clients) == len(KINDS)
    for client in clients.values():
        assert client.scopes[0].access is (rules.access_holder(client) == SUPPLIER), client
