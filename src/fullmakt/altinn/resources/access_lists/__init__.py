"""Access lists: which parties may use a resource, by lists that its owner keeps.

A list is one versioned aggregate of a name and description, members, and connections to resources; whatever changes in
it changes its version, which is its ETag. Asks the register of parties who a URN means, and the resource registry who
owns a resource. Source: altinn-resource-registry.md §8 to §14.
"""
