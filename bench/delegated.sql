-- The scope can be delegated, and %(consumers)s consumers with access to it have delegated the API %(api)s, which is
-- registered already, to the organisation of the clients, a supplier of each.

INSERT INTO selfservice.delegation_source (issuer, name, created, last_updated)
VALUES ('https://www.altinn.no/', 'Altinn', now(), now());

UPDATE selfservice.scope SET delegation_source = 'https://www.altinn.no/' WHERE name = %(scope)s;

CREATE TEMPORARY TABLE consumer ON COMMIT DROP AS
SELECT (%(first)s + i)::text AS orgno, gen_random_uuid() AS giver, supplier.party_uuid AS receiver
FROM generate_series(0, %(consumers)s - 1) i, (SELECT gen_random_uuid() AS party_uuid) supplier;

INSERT INTO selfservice.scope_access (scope, consumer_orgno, state, created, last_updated)
SELECT %(scope)s, orgno, 'APPROVED', now(), now() FROM consumer;

INSERT INTO delegations.connection (connection_id, giver, receiver, role, performed_by, created)
SELECT gen_random_uuid(), giver, receiver, 'supplier', 'operator', now() FROM consumer;

INSERT INTO delegations.delegation (delegation_id, giver, receiver, resource, actions, given_by, consumer, supplier,
    performed_by, created, changed)
SELECT gen_random_uuid(), giver, receiver, %(api)s, '{ScopeAccess}', giver, orgno, '910753614', 'operator', now(), now()
FROM consumer;
