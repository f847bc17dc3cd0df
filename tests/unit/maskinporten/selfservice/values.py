"""Values for the rules to judge."""

from __future__ import annotations

import datetime as dt

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.maskinporten.selfservice.model import Caller, Client, ClientAttributes

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
OWNER = OrgNumber("310000027")
SUPPLIER = OrgNumber("310000035")
STRANGER = OrgNumber("310000043")
ALTINN = OrgNumber("991825827")


def caller(orgno: OrgNumber, *scopes: str, client_id: str = "admin") -> Caller:
    """An organisation with a token."""
    return Caller(orgno, client_id, frozenset(scopes))


def client(**more: object) -> Client:
    """A client of the owner's."""
    fields: dict[str, object] = {
        "client_id": "c1",
        "client_orgno": OWNER,
        "supplier_orgno": None,
        "integration_type": "maskinporten",
        "made_by_altinn": False,
        "created_by_client_id": "admin",
        "attributes": ClientAttributes("c1", "a client"),
        "scopes": (),
        "created": NOW,
        "last_updated": NOW,
        **more,
    }
    return Client(**fields)  # type: ignore[arg-type]
