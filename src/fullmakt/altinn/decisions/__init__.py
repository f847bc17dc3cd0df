"""The decision point: may this one do that, on behalf of them, and why (altinn-authorization.md §1 to §11).

It owns no tables. It asks the register who people and organisations are and what roles they hold, the resource
registry for policies and access lists, and access management for delegations; it remembers their answers for as long
as their change feeds stand still, and writes every decision down. The same engine answers XACML, AuthZEN, and the
checks of the systems beside it.
"""
