"""What names, organisation forms and role codes look like. Pure functions: a fault in words, or None."""

from __future__ import annotations

import re

from fullmakt.kernel.text import is_line

MAX_NAME_LENGTH = 255

_FORM = re.compile(r"[A-ZÆØÅ/]{2,5}")
_ROLE_CODE = re.compile(r"[a-zæøå][a-zæøå0-9_-]{1,39}")


def name_fault(name: str) -> str | None:
    """A name is one line of 1 to 255 characters that begins and ends with something one can see."""
    if not name or name != name.strip():
        return "a name is not empty, and neither begins nor ends with white space"
    if len(name) > MAX_NAME_LENGTH:
        return f"a name has at most {MAX_NAME_LENGTH} characters"
    if not is_line(name):
        return "a name is one line without control characters"
    return None


def form_fault(form: str) -> str | None:
    """An organisation form is Enhetsregisteret's code: ``AS``, ``ENK``, ``ORGL``, ``BEDR``, …"""
    return None if _FORM.fullmatch(form) else "an organisation form is a code such as AS, ENK, ORGL or BEDR"


def role_code_fault(code: str) -> str | None:
    """A role code is Enhetsregisteret's or Altinn's, in lower case: ``dagl``, ``lede``, ``innh``, ``ffør``, …"""
    return None if _ROLE_CODE.fullmatch(code) else "a role is a code in lower case such as dagl, lede or regn"
