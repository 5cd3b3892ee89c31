-- name:      session_events
-- rows:      sign-in of a user or directory audit, newest version, with the session, the token and
--           the device that link it to others; a session's story is its rows in the order of
--           `happened_at`. `table_name` and `id` lead to the record
-- column:    session_id string
-- column:    token_id string
-- column:    device_id string
-- column:    happened_at timestamp
-- column:    day date
-- column:    table_name string
-- column:    id string
-- column:    user_id string
-- column:    user_name string
-- column:    what string
-- column:    target string
-- column:    outcome string
-- column:    ip_address string
-- column:    country string
-- column:    operating_system string
SELECT session_id, unique_token_identifier AS token_id, lower(device_detail.device_id) AS device_id,
created_date_time AS happened_at, day, CAST('sign_ins' AS VARCHAR) AS table_name, id,
lower(user_id) AS user_id, user_principal_name AS user_name,
app_display_name AS what, resource_display_name AS target, outcome,
ip_address, location.country_or_region AS country, device_detail.operating_system AS operating_system
FROM attempts
WHERE event_type IN ('interactiveUser', 'nonInteractiveUser')
UNION ALL
SELECT link.session_id AS session_id, token.unique_token_identifier AS token_id, lower(link.device_id) AS device_id,
happened_at, day, CAST('directory_audits' AS VARCHAR) AS table_name, id,
lower(initiator.id) AS user_id, initiator.user_principal_name AS user_name,
what, coalesce(nullif(target.user_principal_name, ''), nullif(target.display_name, ''), target.id) AS target, outcome,
initiator.ip_address AS ip_address, CAST(NULL AS VARCHAR) AS country, CAST(NULL AS VARCHAR) AS operating_system
FROM (
SELECT id, day, activity_date_time AS happened_at, activity_display_name AS what, result AS outcome,
initiated_by."user" AS initiator,
link, link.token_details AS token, target
FROM (
SELECT id, day, activity_date_time, activity_display_name, result, initiated_by,
initiated_by.linkable_identifiers AS link,
CASE WHEN cardinality(target_resources) >= 1 THEN target_resources[1] END AS target
FROM directory_audits_latest
) AS linked
) AS audits_with_links
