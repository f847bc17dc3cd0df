-- %(count)s clients, all with access to one scope, who take turns in having one of the keys.

INSERT INTO selfservice.prefix (prefix, owner_orgno, created, last_updated)
VALUES ('bench', '310943223', now(), now());

INSERT INTO selfservice.scope (name, prefix, subscope, description, created, last_updated)
VALUES (%(scope)s, 'bench', 'api.read', 'bench', now(), now());

INSERT INTO selfservice.scope_access (scope, consumer_orgno, state, created, last_updated)
VALUES (%(scope)s, '910753614', 'APPROVED', now(), now());

CREATE TEMPORARY TABLE number ON COMMIT DROP AS
SELECT i AS number, '00000000-0000-4000-8000-' || lpad(to_hex(i), 12, '0') AS client_id
FROM generate_series(0, %(count)s - 1) i;

INSERT INTO selfservice.client (client_id, client_orgno, integration_type, client_name, created, last_updated)
SELECT client_id, '910753614', 'maskinporten', 'bench', now(), now() FROM number;

INSERT INTO selfservice.client_scope (client_id, scope)
SELECT client_id, %(scope)s FROM number;

INSERT INTO selfservice.client_key (client_id, kid, alg, jwk, spki, expires, created, last_updated)
SELECT client_id, key.kid, %(alg)s, '{}', key.spki, extract(epoch FROM now())::bigint + 86400, now(), now()
FROM number
JOIN unnest(%(kids)s::text[], %(spkis)s::bytea[]) WITH ORDINALITY AS key (kid, spki, place)
ON key.place = 1 + number %% cardinality(%(kids)s::text[]);
