"""Altinn's own tokens: made from the tokens of Maskinporten and ID-porten, published keys, and who holds a token.

It owns its signing keys and nothing else; it asks the register who a person is, the resource registry which codes the
service owners have, and the providers' verifiers whether a token is to be believed (altinn-authentication.md §2 to §5).
"""
