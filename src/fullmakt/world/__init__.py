"""The world file: organisations, people, scopes, clients and keys, declared in TOML (architecture.md §7).

``parse`` reads a file into a ``World`` and tells every fault at once; ``plan`` compares it with what is there and gives
the steps between; ``WorldService`` carries them out through each system's own service; ``export`` writes a file that
reads back as the same world. A file declares: what it does not name is left as it is.

A ``WorldSection`` stands for one system. Sections are handed in, so this package decides nothing about wiring.
"""
