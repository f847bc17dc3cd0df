"""How many tokens a second, against the limit that the hardware sets. See README.md beside this."""
