"""System users: what there is, what they may do, whom agents act for, and what Maskinporten asks of them
(altinn-authentication.md §10 to §12)."""
