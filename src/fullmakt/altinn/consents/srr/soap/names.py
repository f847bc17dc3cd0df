"""What things are called on the wire (the interface's WSDL; SOAP 1.1 §3, §4)."""

from __future__ import annotations

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
"""SOAP 1.1's own elements."""
SERVICE = "http://www.altinn.no/services/Register/SRR/2015/06"
"""Operations and their parameters."""
DATA = "http://schemas.altinn.no/services/Register/SRR/2015/06"
"""Lists and what is in them."""
FAULT = "http://www.altinn.no/services/common/fault/2009/10"
"""What a fault tells."""
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
"""``nil``."""

GET, ADD, DELETE = "GetRightsBasic", "AddRightsBasic", "DeleteRightsBasic"
"""The operations."""
ACTIONS = {name: f"{SERVICE}/IRegisterSRRAgencyExternalBasic/{name}" for name in (GET, ADD, DELETE)}
"""The ``SOAPAction`` of each operation."""
PATH = "/RegisterExternal/RegisterSRRAgencyExternalBasic.svc"
"""Where it is, below Altinn 2's base path."""
