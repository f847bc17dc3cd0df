"""The system register: vendors say what their systems are called, which rights they need, and which of Maskinporten's
clients they are (altinn-authentication.md §7).

A system is one versioned definition, and its version is its ETag. Asks the resource registry and the role metadata what
a system user can be given.
"""
