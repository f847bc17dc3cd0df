"""API keys of Altinn 2: each is bound to an organisation, and stands for nothing more than that the organisation is
known to Altinn (consent.md §2.1). The operator hands them out; a service owner's opens the service owners' APIs too.
"""
