"""Consents: who has asked whom for what, what the answer was, and whether it still stands.

One model carries both of Altinn's forms (consent.md §2 and §4). It asks the resource registry what can be consented to,
the decision point who may ask and who may answer, and the register of parties who is who.
"""
