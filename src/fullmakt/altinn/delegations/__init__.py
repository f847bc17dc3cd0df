"""Delegations: what one party has let another do on its behalf.

The twin of Altinn's access management. It keeps rights on resources (an API delegation is one of them: the right to
fetch tokens with a resource's scopes), access packages and connections between parties. Of parties, resources and the
decision point it asks through ``ports``.
"""
