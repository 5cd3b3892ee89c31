-- name:      audits
-- rows:      directory audit, newest version, with its targets by kind, whether it took effect (`took_effect`), and its activity in lower case (`act`)
-- column:    id string
-- column:    day date
-- column:    happened_at timestamp
-- column:    activity string
-- column:    act string
-- column:    category string
-- column:    service string
-- column:    result string
-- column:    reason string
-- column:    took_effect string
-- column:    actor string
-- column:    actor_id string
-- column:    actor_is_user boolean
-- column:    actor_display_name string
-- column:    ip_address string
-- column:    target string
-- column:    target_id string
-- column:    user_name string
-- column:    user_id string
-- column:    group_name string
-- column:    group_id string
-- column:    application string
-- column:    application_id string
-- column:    device string
-- column:    role string
SELECT id, day, happened_at, activity, lower(activity) AS act, category, service, result, reason,
CAST(CASE WHEN coalesce(result, 'success') IN ('success', '')
AND lower(activity) NOT LIKE '%requested%' AND lower(activity) NOT LIKE '%request denied%' AND lower(activity) NOT LIKE '%cancel%'
AND lower(activity) NOT LIKE '%denied by admin%' AND lower(activity) NOT LIKE '%request expired%' THEN 'yes' ELSE 'no' END AS VARCHAR) AS took_effect,
actor, actor_id, actor_is_user, actor_display_name, ip_address, target, target_id, user_name, user_id, group_name, group_id,
application, application_id, device, coalesce(nullif(role_property, ''), role_target) AS role
FROM (
SELECT id, day,
max(activity_date_time) AS happened_at,
trim(max(activity_display_name)) AS activity,
max(category) AS category,
lower(coalesce(max(logged_by_service), '')) AS service,
max(result) AS result,
max(result_reason) AS reason,
max(actor) AS actor,
max(actor_id) AS actor_id,
CASE WHEN max(CASE WHEN actor_is_user THEN 1 ELSE 0 END) = 1 THEN true ELSE false END AS actor_is_user,
max(actor_display_name) AS actor_display_name,
max(actor_ip_address) AS ip_address,
max(CASE WHEN target_number = 1 THEN coalesce(nullif(target_user_principal_name, ''), nullif(target_name, ''), target_id) END) AS target,
max(CASE WHEN target_number = 1 THEN target_id END) AS target_id,
max(CASE WHEN lower(target_type) = 'user' THEN coalesce(nullif(target_user_principal_name, ''), nullif(target_name, ''), target_id) END) AS user_name,
max(CASE WHEN lower(target_type) = 'user' THEN lower(target_id) END) AS user_id,
max(CASE WHEN lower(target_type) = 'group' THEN coalesce(nullif(target_name, ''), target_id) END) AS group_name,
max(CASE WHEN lower(target_type) = 'group' THEN lower(target_id) END) AS group_id,
max(CASE WHEN lower(target_type) IN ('application', 'serviceprincipal') THEN coalesce(nullif(target_name, ''), target_id) END) AS application,
max(CASE WHEN lower(target_type) IN ('application', 'serviceprincipal') THEN lower(target_id) END) AS application_id,
max(CASE WHEN lower(target_type) = 'device' THEN coalesce(nullif(target_name, ''), target_id) END) AS device,
max(CASE WHEN lower(property_name) = 'role.displayname' THEN replace(coalesce(nullif(new_value, ''), old_value), '"', '') END) AS role_property,
max(CASE WHEN lower(target_type) = 'role' THEN coalesce(nullif(target_name, ''), target_id) END) AS role_target
FROM directory_changes
GROUP BY id, day
) AS records
