"""Altinn's systems."""
