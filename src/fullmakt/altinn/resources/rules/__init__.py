"""What a resource and its policy must be like, who may change them, and what a policy comes to. Pure functions."""
