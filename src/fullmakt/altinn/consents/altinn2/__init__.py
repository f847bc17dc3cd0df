"""Consent as Altinn 2 offers it: requests by API key, and tokens of Altinn's own (consent.md §2)."""
