-- name:      directory_changes
-- rows:      changed property of each target of a directory audit; a target without any has one
--           row
-- column:    id string
-- column:    day date
-- column:    activity_date_time timestamp
-- column:    activity_display_name string
-- column:    category string
-- column:    operation_type string
-- column:    logged_by_service string
-- column:    result string
-- column:    result_reason string
-- column:    actor string
-- column:    actor_id string
-- column:    actor_is_user boolean
-- column:    actor_ip_address string
-- column:    actor_display_name string
-- column:    target_number int
-- column:    target_id string
-- column:    target_name string
-- column:    target_type string
-- column:    target_user_principal_name string
-- column:    property_number int
-- column:    property_name string
-- column:    old_value string
-- column:    new_value string
SELECT id, day, activity_date_time, activity_display_name, category, operation_type, logged_by_service, result, result_reason,
actor, actor_id, actor_is_user, actor_ip_address, actor_display_name,
target_number, target_id, target_name, target_type, target_user_principal_name,
property_number, property.display_name AS property_name, property.old_value AS old_value, property.new_value AS new_value
FROM (
SELECT id, day, activity_date_time, activity_display_name, category, operation_type, logged_by_service, result, result_reason,
actor, actor_id, actor_is_user, actor_ip_address, actor_display_name,
target_number, target_id, target_name, target_type, target_user_principal_name,
positions.position AS property_number,
CASE WHEN positions.position <= cardinality(properties) THEN properties[positions.position] END AS property
FROM (
SELECT id, day, activity_date_time, activity_display_name, category, operation_type, logged_by_service, result, result_reason,
actor, actor_id, actor_is_user, actor_ip_address, actor_display_name,
target_number, target.id AS target_id, target.display_name AS target_name, target.type AS target_type,
target.user_principal_name AS target_user_principal_name, target.modified_properties AS properties
FROM (
SELECT id, day, activity_date_time, activity_display_name, category, operation_type, logged_by_service, result, result_reason,
coalesce(
nullif(initiated_by."user".user_principal_name, ''), nullif(initiated_by."user".display_name, ''),
nullif(initiated_by.app.display_name, ''), nullif(initiated_by.app.service_principal_name, ''), nullif(initiated_by."user".id, ''), 'unknown'
) AS actor,
lower(coalesce(
nullif(nullif(initiated_by."user".id, ''), '00000000-0000-0000-0000-000000000000'), nullif(initiated_by.app.service_principal_id, '')
)) AS actor_id,
coalesce(nullif(nullif(initiated_by."user".id, ''), '00000000-0000-0000-0000-000000000000'), nullif(initiated_by."user".user_principal_name, ''))
IS NOT NULL AS actor_is_user,
nullif(initiated_by."user".ip_address, '') AS actor_ip_address,
nullif(initiated_by."user".display_name, '') AS actor_display_name,
positions.position AS target_number,
CASE WHEN positions.position <= cardinality(target_resources) THEN target_resources[positions.position] END AS target
FROM directory_audits_latest
JOIN positions ON positions.size = greatest(least(coalesce(cardinality(target_resources), 0), 100), 1)
) AS targets
) AS targets_with_properties
JOIN positions ON positions.size = greatest(least(coalesce(cardinality(properties), 0), 100), 1)
) AS changes
