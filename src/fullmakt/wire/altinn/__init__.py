"""Altinn's documents."""
