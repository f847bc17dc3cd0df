"""Maskinporten's documents: the grant, the access token, the errors, the registry, the self-service API."""
