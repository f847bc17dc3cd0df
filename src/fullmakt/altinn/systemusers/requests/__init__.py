"""What vendors ask organisations for: a system user for a system, or another set of rights for one that there is
(altinn-authentication.md §8, §9)."""
