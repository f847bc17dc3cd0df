-- %(many)s consents to two services, in the order in which they were asked for: one in two by the bank, ten by the
-- small firm, the others by companies. Of each hundred five have been revoked, ten rejected and ten not answered; the
-- rest stands, with what was read, about a kilobyte. The newest tenth is to the second service. All were made in Altinn
-- 2's form and taken over by Altinn 3, so that the lists of both have them all. They are filled in without the indexes,
-- which are made when everything is there.

SET LOCAL synchronous_commit = off;
SET LOCAL session_replication_role = replica; -- foreign keys hold by how the rows are made
SET LOCAL maintenance_work_mem = '256MB';

CREATE TEMPORARY TABLE set_aside ON COMMIT DROP AS
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
WHERE relnamespace = 'consents'::regnamespace AND relname IN ('consent', 'consent_right', 'consent_event')
    AND NOT indisunique;

DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT * FROM set_aside LOOP EXECUTE 'DROP INDEX ' || one.name; END LOOP;
END $$;

CREATE TEMPORARY TABLE made ON COMMIT DROP AS
SELECT gen_random_uuid() AS consent_id,
    CASE WHEN n %% 2 = 0 THEN %(bank)s::uuid
         WHEN n < 20 THEN %(firm)s::uuid
         ELSE companies[1 + n / 2 %% cardinality(companies)] END AS receiver,
    givers[1 + n %% cardinality(givers)] AS giver,
    resources[CASE WHEN n < 0.9 * %(many)s THEN 1 ELSE 2 END] AS resource,
    now() - interval '90 days' + n * interval '89 days' / %(many)s AS created,
    CASE WHEN n / 2 %% 100 < 5 THEN 'Revoked' WHEN n / 2 %% 100 < 15 THEN 'Rejected'
         WHEN n / 2 %% 100 < 25 THEN 'Created' ELSE 'Accepted' END AS status
FROM generate_series(0, %(many)s - 1) n,
    (SELECT %(companies)s::uuid[] AS companies, %(givers)s::uuid[] AS givers, %(resources)s::text[] AS resources) names;

INSERT INTO consents.consent (consent_id, form, giver, receiver, created_by, valid_to, message, redirect_url,
    notification_url, portal_view_mode, template_id, one_time, status, created, opened_at, answered_at, answered_by,
    language, shown, ended_at, end_reason, migrated, last_changed)
SELECT consent_id, 'altinn2', giver, receiver, receiver, created + interval '1 year',
    '{"nb": "Vi vurderer lånet ditt"}', 'https://bank.example/retur', '', 'Hide', 'default', false, status, created,
    CASE WHEN status <> 'Created' THEN created + interval '1 hour' END,
    CASE WHEN status <> 'Created' THEN created + interval '1 hour' END,
    CASE WHEN status <> 'Created' THEN giver END, 'nb',
    CASE WHEN status IN ('Accepted', 'Revoked') THEN jsonb_build_object('template', 'default', 'language', 'nb',
        'title', 'Samtykke til deling av data', 'heading', 'Banken AS spør om å få hente opplysninger om deg',
        'message', 'Vi vurderer lånet ditt', 'intro', 'Sier du ja, kan Banken AS hente dette:',
        'rights', jsonb_build_array(jsonb_build_object('resource', resource, 'title', 'Lån', 'text',
            repeat('Saldo, renter og vilkår. ', 20))),
        'expiration', 'Du kan trekke det når som helst.', 'handledBy', '') ELSE '{}' END,
    CASE WHEN status = 'Revoked' THEN created + interval '2 hours' END,
    CASE WHEN status = 'Revoked' THEN 'revoked' END, created,
    created + CASE status WHEN 'Created' THEN interval '0' WHEN 'Revoked' THEN interval '2 hours'
                          ELSE interval '1 hour' END
FROM made ORDER BY created;

INSERT INTO consents.consent_right (consent_id, place, resource, resource_version, actions, metadata, agreed, revoked,
    giver, receiver, state, changed)
SELECT c.consent_id, 0, resource, 1, '{consent}', '{"Navn": "Banken AS"}',
    CASE WHEN c.status IN ('Accepted', 'Revoked') THEN c.last_changed END, c.status = 'Revoked',
    c.giver, c.receiver, CASE c.status WHEN 'Revoked' THEN 'Accepted' ELSE c.status END, c.last_changed
FROM consents.consent c JOIN made USING (consent_id) ORDER BY c.created;

INSERT INTO consents.consent_event (event_id, consent_id, receiver, type, created, performed_by, in_feed)
SELECT CAST(lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7000'
        || right(replace(gen_random_uuid()::text, '-', ''), 16) AS uuid),
    consent_id, receiver, type, at, actor, true
FROM made CROSS JOIN LATERAL (
    VALUES ('Created', created, receiver, true),
        (CASE status WHEN 'Revoked' THEN 'Accepted' ELSE status END, created + interval '1 hour', giver,
            status <> 'Created'),
        ('Revoked', created + interval '2 hours', giver, status = 'Revoked')
) happened (type, at, actor, has) WHERE has ORDER BY at;

DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT * FROM set_aside LOOP EXECUTE one.definition; END LOOP;
END $$;
