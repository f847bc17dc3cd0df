"""Parties: organisations, people, and who holds which role where.

The twin of Enhetsregisteret and Folkeregisteret as Altinn sees them: reference data that other systems ask for by
number. A party has an identifier of its own, a small integer and a UUID, that stays the same for as long as it exists.
It asks nothing of other systems.
"""
