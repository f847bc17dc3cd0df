"""The description of the SOAP form, which generated clients are made from (WSDL 1.1)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from lxml import etree

_ADDRESS = "{http://schemas.xmlsoap.org/wsdl/soap/}address"


@cache
def wsdl(address: str) -> bytes:
    """The WSDL, with the URL that the service is called at."""
    sent = (files(__package__) / "RegisterSRRAgencyExternalBasic.wsdl").read_bytes()
    root = etree.fromstring(sent)
    for one in root.iter(_ADDRESS):
        one.set("location", address)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")
