"""The enterprise PKI of a world without Buypass and Commfides: certificates in their shape, revocation lists, bundles.

Owns the schema ``pki``: CAs with their sealed keys, a record of each certificate issued (never its private key), and
the current CRL of each CA. Asks nothing of other systems. Source: maskinporten.md §2.5 and §2.7.
"""
