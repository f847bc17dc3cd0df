-- The scope can be delegated, through an API of the resource registry that carries it, and %(consumers)s consumers with
-- access to it have delegated that API to the organisation of the clients.

INSERT INTO selfservice.delegation_source (issuer, name, created, last_updated)
VALUES ('https://www.altinn.no/', 'Altinn', now(), now());

UPDATE selfservice.scope SET delegation_source = 'https://www.altinn.no/' WHERE name = %(scope)s;

INSERT INTO resources.resource (identifier, version_id, document, resource_type, owner_orgno, owner_code, delegable,
    visible, access_list_enabled, scopes, changed, change_id)
VALUES ('bench-api', 1, '{"identifier": "bench-api", "title": {"nb": "bench"}}', 'MaskinportenSchema', '310943223',
    'bench', true, true, false, ARRAY[%(scope)s], now(), 1);

CREATE TEMPORARY TABLE consumer ON COMMIT DROP AS
SELECT i AS number, (%(first)s + i)::text AS orgno FROM generate_series(0, %(consumers)s - 1) i;

INSERT INTO selfservice.scope_access (scope, consumer_orgno, state, created, last_updated)
SELECT %(scope)s, orgno, 'APPROVED', now(), now() FROM consumer;

INSERT INTO delegations.delegation (delegation_id, giver, receiver, resource, actions, given_by, consumer, supplier,
    performed_by, created, changed)
SELECT gen_random_uuid(), giver, receiver, 'bench-api', '{ScopeAccess}', giver, orgno, '910753614', 'bench', now(), now()
FROM (SELECT orgno, gen_random_uuid() AS giver, gen_random_uuid() AS receiver FROM consumer) each;
