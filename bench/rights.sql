-- A client that may ask the decision point, and %(organisations)s organisations that have each given ten suppliers a
-- right. Organisation g, in its slot s, has given supplier (g + s) the right to read resource (10 g + s) of those there
-- are; it has one managing director, person g. Where there is one of something, the remainder is always 0.

INSERT INTO selfservice.prefix (prefix, owner_orgno, created, last_updated)
VALUES ('altinn', '991825827', now(), now());

INSERT INTO selfservice.scope (name, prefix, subscope, description, at_max_age, created, last_updated)
VALUES (%(scope)s, 'altinn', 'authorization/authorize', 'the decision point', 3600, now(), now());

INSERT INTO selfservice.scope_access (scope, consumer_orgno, state, created, last_updated)
VALUES (%(scope)s, '910753614', 'APPROVED', now(), now());

INSERT INTO selfservice.client_scope (client_id, scope)
SELECT client_id, %(scope)s FROM selfservice.client;

-- Tokens of this client outlive the bench.
UPDATE selfservice.client SET access_token_lifetime = 3600;

INSERT INTO parties.role (organisation_id, code, holder_id, created)
SELECT o.party_id, 'dagl', p.party_id, now()
FROM generate_series(0, %(organisations)s - 1) g
JOIN parties.party o ON o.party_id = %(first_organisation)s + g
JOIN parties.party p ON p.party_id = %(first_person)s + g;

INSERT INTO delegations.delegation (delegation_id, giver, receiver, resource, actions, given_by, performed_by, created,
    changed)
SELECT gen_random_uuid(), giver.party_uuid, supplier.party_uuid,
    'bench-' || (10 * g + s) %% %(policies)s, '{read}', giver.party_uuid, 'bench', now(), now()
FROM generate_series(0, %(organisations)s - 1) g
CROSS JOIN generate_series(0, 9) s
JOIN parties.party giver ON giver.party_id = %(first_organisation)s + g
JOIN parties.party supplier ON supplier.party_id = %(first_supplier)s + (g + s) %% %(suppliers)s;
