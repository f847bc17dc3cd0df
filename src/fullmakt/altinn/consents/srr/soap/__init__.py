"""SRR's SOAP twin, ``RegisterSRRAgencyExternalBasic.svc`` (consent.md §3.3): SOAP 1.1, over the REST form's use
cases.

Names, namespaces and actions are those of the interface's published WSDL; ours describes the same, in our own words.
"""
