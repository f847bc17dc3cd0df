"""How the SOAP form refuses: a fault of SOAP's, with Altinn's own in it (SOAP 1.1 §4.4; consent.md §3.3).

The general codes are those of Altinn's documentation of its SOAP interfaces (feilhåndtering).
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from uuid import UUID

from lxml import etree

from fullmakt.altinn.consents.srr.soap.names import ENVELOPE, FAULT

NO_INFORMATION = "No information available"
NO_VALUE = "-no value-"


class FaultCode(StrEnum):
    """Whose doing it is (SOAP 1.1 §4.4.1)."""

    CLIENT = "Client"
    SERVER = "Server"
    VERSION = "VersionMismatch"
    MUST_UNDERSTAND = "MustUnderstand"

    @property
    def is_of_body(self) -> bool:
        """True when there is more to tell in ``detail``, which is about the body alone (§4.4)."""
        return self in {FaultCode.CLIENT, FaultCode.SERVER}


class ErrorId(IntEnum):
    """Altinn's general codes; those of an operation are in ``documents``."""

    GENERAL = 0
    NOT_AUTHORIZED = 5
    NOT_AUTHENTICATED = 989


class FaultError(Exception):
    """The call is refused. ``error_id`` and the message are for the caller."""

    def __init__(self, message: str, error_id: int = ErrorId.GENERAL, code: FaultCode = FaultCode.CLIENT) -> None:
        super().__init__(message)
        self.error_id = error_id
        self.code = code


def fault_xml(error: FaultError, trace_id: str) -> bytes:
    """An envelope with the fault. ``trace_id``, 32 hex digits, is its ``ErrorGuid``: log and audit trail know it."""
    envelope = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"s": ENVELOPE})
    fault = etree.SubElement(etree.SubElement(envelope, f"{{{ENVELOPE}}}Body"), f"{{{ENVELOPE}}}Fault")
    etree.SubElement(fault, "faultcode").text = f"s:{error.code}"
    text = etree.SubElement(fault, "faultstring", {"{http://www.w3.org/XML/1998/namespace}lang": "en"})
    text.text = str(error)
    if error.code.is_of_body:
        _tell(etree.SubElement(fault, "detail"), error, trace_id)
    return etree.tostring(envelope, xml_declaration=True, encoding="utf-8")


def _tell(detail: etree._Element, error: FaultError, trace_id: str) -> None:
    told = etree.SubElement(detail, f"{{{FAULT}}}AltinnFault", nsmap={None: FAULT})
    members = {
        "AltinnErrorMessage": str(error),
        "AltinnExtendedErrorMessage": NO_INFORMATION,
        "AltinnLocalizedErrorMessage": str(error),
        "ErrorGuid": str(UUID(trace_id)),
        "ErrorID": str(int(error.error_id)),
        "UserGuid": NO_VALUE,
        "UserId": "",
    }
    for name, value in members.items():
        etree.SubElement(told, f"{{{FAULT}}}{name}").text = value
