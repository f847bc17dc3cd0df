"""The token server: Maskinporten's metadata, keys and token endpoint.

It owns its signing keys and the grants that have been used. It asks the self-service API for clients and scopes
(``ports.Registry``) and keeps what it was told until the change feed says otherwise.
"""
