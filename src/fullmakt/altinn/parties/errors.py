"""What can be wrong with a party."""


class InvalidPartyError(ValueError):
    """A field breaks its rule. ``field`` names it; the message is fit to be shown and repeats no identity number."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class UnknownPartyError(LookupError):
    """The party that ``field`` refers to is not registered."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
