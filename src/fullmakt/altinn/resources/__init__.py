"""The resource registry: resources with their policies, who owns them, and (in ``access_lists``) who is let in.

The twin of Altinn's ResourceRegistry. A resource is known by its identifier for good; each change makes a version of
it, and none is ever lost. Of other systems it asks which roles and access packages there are, to warn of a policy that
names one that nobody can hold.
"""
