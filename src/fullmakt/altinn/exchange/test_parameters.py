"""What the test-token helper is asked for (altinn-authentication.md §13). Whatever is wrong is a ``BindingError``."""

from __future__ import annotations

import re
from uuid import UUID

from starlette.requests import Request

from fullmakt.infra.reading import Query
from fullmakt.kernel.identifiers import InvalidIdentifierError, OrgNumber
from fullmakt.wire.altinn.problems import BindingError

_ENVIRONMENTS = re.compile(r"[a-z0-9]{1,10}", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,10}", re.ASCII)
_SEPARATORS = re.compile(r"[ ,]+")
_PARTY = re.compile(r"[0-9]{9}|[0-9]{11}", re.ASCII)


class Asked:
    """The parameters of a request; names are compared without regard to case."""

    def __init__(self, request: Request) -> None:
        self._query = Query(request)
        self._told = list(request.query_params.items())[:100]
        if not _ENVIRONMENTS.fullmatch(self.environment):
            raise fault("env", "say which environment: any short name will do")

    @property
    def environment(self) -> str:
        """Its name, which has no meaning but for ``none``."""
        return self.text("env")

    def text(self, name: str, default: str = "") -> str:
        """A text, ``default`` when it is not there or empty."""
        return (self._query.text(name) or default).strip()

    def required(self, name: str) -> str:
        """A text that must be there."""
        value = self.text(name)
        if not value:
            raise fault(name, "missing")
        return value

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number, ``most`` at the most."""
        value = self.text(name)
        if not value:
            return default
        if not _DIGITS.fullmatch(value) or int(value) > most:
            raise fault(name, f"a whole number from 0 to {most}")
        return int(value)

    def uuid(self, name: str, default: str = "") -> str:
        """A UUID; without ``default`` it must be there."""
        try:
            return str(UUID(self.text(name, default) or self.required(name)))
        except ValueError as error:
            raise fault(name, "a UUID") from error

    def organisation(self, name: str, default: str = "") -> OrgNumber | None:
        """An organisation number."""
        value = self.text(name, default)
        try:
            return OrgNumber(value) if value else None
        except InvalidIdentifierError as error:
            raise fault(name, str(error)) from error

    def party(self, name: str, *, required: bool = False) -> str:
        """The number of an organisation or of a person, as it is."""
        value = self.required(name) if required else self.text(name)
        if value and not _PARTY.fullmatch(value):
            raise fault(name, "nine digits, or eleven")
        return value

    def about(self, code: str) -> list[str]:
        """What is told of a service beside its code: parameters whose names begin with that."""
        return [f"{name}={value}"[:1_000] for name, value in self._told if name.startswith(code)]

    def scopes(self, default: str = "") -> str:
        """Scopes with spaces between, told with spaces or commas."""
        return " ".join(filter(None, _SEPARATORS.split(self.text("scopes", default))))


def fault(name: str, message: str) -> BindingError:
    """The error that names a parameter."""
    return BindingError({name: [message]})
