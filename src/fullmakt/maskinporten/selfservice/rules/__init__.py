"""Pure decisions of self-service: who may do what, which fields fit together, which keys and scopes are taken."""
