"""Maskinporten's two systems: the token server and the self-service API."""
