"""A client of SRR's SOAP form, made by hand, which holds every answer against the WSDL's own schemas."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import httpx2
from lxml import etree

URL = "https://altinn2.test"
PATH = "/RegisterExternal/RegisterSRRAgencyExternalBasic.svc"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICE = "http://www.altinn.no/services/Register/SRR/2015/06"
DATA = "http://schemas.altinn.no/services/Register/SRR/2015/06"
FAULT = "http://www.altinn.no/services/common/fault/2009/10"
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_XSD = "{http://www.w3.org/2001/XMLSchema}"
_LISTS = {"AddRightsBasic": "insertRightList", "DeleteRightsBasic": "deleteRightList"}


@dataclass(frozen=True)
class Refusal:
    """A fault, and what Altinn's own in it says."""

    code: str
    text: str
    members: dict[str, str | None]

    @property
    def error_id(self) -> int:
        """Altinn's code."""
        return int(self.members["ErrorID"] or -1)


class Schemas:
    """The schemas of a WSDL, in files, as libxml2 wants what imports each other."""

    def __init__(self, wsdl: bytes, folder: Path) -> None:
        found = list(etree.fromstring(wsdl).iter(f"{_XSD}schema"))
        names = {str(one.get("targetNamespace")): f"{number}.xsd" for number, one in enumerate(found)}
        for one in found:
            for imported in one.iterfind(f"{_XSD}import"):
                imported.set("schemaLocation", names[str(imported.get("namespace"))])
            (folder / names[str(one.get("targetNamespace"))]).write_bytes(etree.tostring(one))
        self._of = {name: etree.XMLSchema(etree.parse(folder / file)) for name, file in names.items()}

    def check(self, element: etree._Element) -> None:
        """Fail unless the element is what its namespace's schema says."""
        alone = etree.fromstring(etree.tostring(element))
        self._of[str(etree.QName(element).namespace)].assertValid(alone)


class SoapClient:
    """One who calls the operations. ``name`` and ``password`` are the system's."""

    def __init__(self, http: httpx2.AsyncClient, schemas: Schemas, name: str, password: str) -> None:
        self._http = http
        self._schemas = schemas
        self.name, self.password = name, password

    async def call(self, operation: str, inner: str = "", *, check: bool = True) -> Any:
        """Call an operation of the service 5498/1, with these parameters after the common ones. ``check`` holds what is
        sent against the schema as well."""
        sent = message(operation, self.name, self.password, inner)
        if check:
            self._schemas.check(etree.fromstring(sent)[0][0])
        return self.read(operation, await self.post(sent, operation))

    async def post(self, sent: bytes, operation: str = "GetRightsBasic", **headers: str) -> httpx2.Response:
        """Send a message."""
        action = f'"{SERVICE}/IRegisterSRRAgencyExternalBasic/{operation}"'
        more = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": action, **headers}
        return await self._http.post(PATH, content=sent, headers=more)

    def read(self, operation: str, answer: httpx2.Response) -> Any:
        """What came back: the items, each a dict, or a ``Refusal``."""
        assert answer.headers["content-type"] == "text/xml; charset=utf-8"
        (body,) = etree.fromstring(answer.content)
        (told,) = body
        if answer.status_code != 200:
            return self.refusal(told)
        self._schemas.check(told)
        assert told.tag == f"{{{SERVICE}}}{operation}Response"
        return [{etree.QName(one).localname: _value(one) for one in item} for item in told[0]]

    def refusal(self, fault: etree._Element) -> Refusal:
        """The fault that an element is."""
        assert fault.tag == f"{{{SOAP}}}Fault"
        altinns = fault.find(f"detail/{{{FAULT}}}AltinnFault")
        if altinns is not None:
            self._schemas.check(altinns)
        members = {str(etree.QName(one).localname): one.text for one in altinns} if altinns is not None else {}
        return Refusal(str(fault.findtext("faultcode")), str(fault.findtext("faultstring")), members)

    async def get(self, reportee: str | None = None) -> Any:
        """``GetRightsBasic``."""
        return await self.call("GetRightsBasic", "" if reportee is None else f"<reportee>{reportee}</reportee>")

    async def add(self, *items: dict[str, str], check: bool = True) -> Any:
        """``AddRightsBasic``."""
        return await self.call("AddRightsBasic", listed("AddRightsBasic", items), check=check)

    async def delete(self, *items: dict[str, str], check: bool = True) -> Any:
        """``DeleteRightsBasic``."""
        return await self.call("DeleteRightsBasic", listed("DeleteRightsBasic", items), check=check)


def listed(operation: str, items: Iterable[dict[str, str]]) -> str:
    """The list of items that is a parameter."""
    kind = operation.replace("RightsBasic", "RightRequest")
    told = "".join(
        f"<d:{kind}>{''.join(f'<d:{name}>{escape(value)}</d:{name}>' for name, value in item.items())}</d:{kind}>"
        for item in items
    )
    return f'<{_LISTS[operation]} xmlns:d="{DATA}">{told}</{_LISTS[operation]}>'


def message(
    operation: str, name: str, password: str, inner: str = "", *, code: str = "5498", edition: str = "1"
) -> bytes:
    """An envelope that calls an operation."""
    return (
        f'<soapenv:Envelope xmlns:soapenv="{SOAP}"><soapenv:Body><{operation} xmlns="{SERVICE}">'
        f"<systemUserName>{escape(name)}</systemUserName><systemPassword>{escape(password)}</systemPassword>"
        f"<serviceCode>{code}</serviceCode><serviceEditionCode>{edition}</serviceEditionCode>{inner}"
        f"</{operation}></soapenv:Body></soapenv:Envelope>"
    ).encode()


def _value(element: etree._Element) -> str | None:
    return None if element.get(NIL) == "true" else element.text
