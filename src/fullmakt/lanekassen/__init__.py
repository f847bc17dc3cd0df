"""Lånekassen's "Saldo på studielån": a data source that answers only to consent (lanekassen-saldo.md, seed 003).

It stands on ``fullmakt.provider`` alone for whom to believe, as any data source elsewhere would.
"""
