"""What other systems need to know of parties and roles."""

TOPIC = "altinn.parties"
"""The topic of the change feed on which parties announce their changes, with keys ``organisation:<orgno>`` (the
organisation itself, or who holds a role in it) and ``party:<uuid>`` (a person; national identity numbers stay out of
the feed)."""
