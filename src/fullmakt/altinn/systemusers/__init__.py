"""Enterprise systems and their system users: which systems vendors have registered, which organisations use them, and
with what rights.

It owns the systems, the requests and the system users; it asks the resource registry and the role metadata what can be
given, access management to give it, and the register of parties who an organisation is (altinn-authentication.md §7 to
§12).
"""
