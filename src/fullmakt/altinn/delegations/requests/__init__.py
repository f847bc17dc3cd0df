"""Requests for access: a party asks another for a right, an access package, or an API.

One model stands behind Altinn 3's API and Altinn 2's. A service owner makes a draft on a person's behalf, which the
person confirms; whoever asks for itself has sent the request at once. The other party approves, which delegates in the
same transaction, or rejects; until then whoever asked may withdraw it (altinn-authorization.md §15, §16.1).
"""
