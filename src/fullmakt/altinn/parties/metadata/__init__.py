"""Role metadata: the roles and access packages that Altinn knows, and which role of the register gives which of them.

What is known lies in ``roles.toml``, ``packages.toml`` and ``rights.toml``; ``load`` reads and checks them, ``rules``
applies them, ``http`` serves them. Nothing of it is said about any single person or organisation.
"""
