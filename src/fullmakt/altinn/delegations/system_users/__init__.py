"""What system users are given, and have: answers to the system that keeps them.

Who may give what is looked into first, since the decision point reads by connections of its own; what is given is then
kept in the transaction of whoever makes the system user, so that both stand or fall together.
"""

from fullmakt.altinn.delegations.system_users.service import SystemUserDelegations

__all__ = ["SystemUserDelegations"]
