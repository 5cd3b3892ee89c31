-- name:      applied_policies
-- rows:      conditional access policy that a version of a sign-in names
-- column:    id string
-- column:    event_type string
-- column:    day date
-- column:    created_date_time timestamp
-- column:    user_id string
-- column:    user_principal_name string
-- column:    app_id string
-- column:    app_display_name string
-- column:    conditional_access_status string
-- column:    policy_id string
-- column:    policy_name string
-- column:    policy_result string
SELECT id, event_type, day, created_date_time, user_id, user_principal_name, app_id, app_display_name,
conditional_access_status, policy.id AS policy_id, policy.display_name AS policy_name, policy.result AS policy_result
FROM (
SELECT id, event_type, day, created_date_time, user_id, user_principal_name, app_id, app_display_name, conditional_access_status,
applied_conditional_access_policies[positions.position] AS policy -- datafusion: unnest(applied_conditional_access_policies) AS policy
FROM sign_ins
JOIN positions ON positions.size = least(coalesce(cardinality(applied_conditional_access_policies), 0), 100) -- datafusion:
) AS policies
