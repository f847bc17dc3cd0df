"""The world file: organisations, people, scopes, clients and keys, declared in TOML."""
