"""The service owner's rights registry (tjenesteeierstyrt rettighetsregister, SRR): who may ask for and receive consent
to a service of Altinn 2, and on which conditions (consent.md §3). It gates Altinn 2's form of consent alone.
"""
