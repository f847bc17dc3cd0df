"""The self-service API: who has which client, key, scope and access (Samarbeidsportalen's API, maskinporten.md §7).

It owns the registry: prefixes, scopes, accesses, clients, their keys and their on-behalf-of registrations. The token
server reads it through ``registry.PostgresRegistry``; organisations change it over HTTP with admin tokens; an operator
(the world file, a command) changes it through ``SelfService.operator``. Tokens are verified by our own SDK
(``fullmakt.provider``); of others it asks whether a certificate holds (``ports.CertificateCheck``) and what an
organisation is called (``ports.OrganisationNames``).
"""
