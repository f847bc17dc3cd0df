"""What a service owner must be like."""

from __future__ import annotations

import re

from fullmakt.altinn.resources.rules.fields import Faults
from fullmakt.kernel.identifiers import InvalidIdentifierError, OrgNumber
from fullmakt.wire.altinn.resource_registry import ServiceOwner

_CODE = re.compile(r"[a-z0-9]{2,20}", re.ASCII)


def service_owner_faults(code: str, owner: ServiceOwner) -> Faults:
    """Messages by field, none when all is well."""
    faults: Faults = {}
    if not _CODE.fullmatch(code):
        faults["Orgcode"] = ["An orgcode is 2 to 20 lower-case letters and digits"]
    try:
        OrgNumber(owner.orgnr)
    except InvalidIdentifierError as error:
        faults["Orgnr"] = [str(error)]
    return faults
