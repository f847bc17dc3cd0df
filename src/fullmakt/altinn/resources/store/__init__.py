"""The schema ``resources``, less the access lists' tables: every statement that touches it."""
