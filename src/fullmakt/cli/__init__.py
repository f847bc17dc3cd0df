"""The fullmakt command."""
