"""Parties: organisations, people, and who holds which role where.

The twin of Enhetsregisteret and Folkeregisteret as Altinn sees them: reference data that other systems ask for by
number. A party has an identifier of its own, a small integer and a UUID, that stays the same for as long as it exists.
What a role gives, Altinn roles and access packages, is told by ``metadata``, which is served to all. Of other systems
it asks but one thing: to which resources a role or a package leads.
"""
