"""Fullmakt: Maskinporten, Altinn and eFormidling as one program, faithful on the wire."""
