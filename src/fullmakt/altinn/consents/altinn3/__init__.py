"""Consent in Altinn 3's form (consent.md §4)."""
