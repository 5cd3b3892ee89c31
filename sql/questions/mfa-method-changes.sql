-- id:        mfa-method-changes
-- name:      Whose MFA methods were changed?
-- summary:   Methods of strong authentication that were registered, changed or deleted within
--           the last 30 days
-- severity:  medium
-- technique: T1556.006
-- scans:     the targets and nine other columns of 30 days of directory audits
--
-- Answers for whom a second factor was added, changed or removed, and whether by themselves or
-- by somebody else.
SELECT
  max(activity_date_time) AS happened_at,
  max(coalesce(target_user_principal_name, target_name)) AS user_name,
  max(activity_display_name) AS activity,
  max(actor) AS changed_by,
  max(CASE WHEN actor = target_user_principal_name THEN 'themselves' ELSE '' END) AS changed_by_themselves,
  max(CASE WHEN property_name LIKE 'StrongAuthentication%' THEN new_value END) AS new_methods,
  max(result_reason) AS reason,
  max(actor_ip_address) AS ip_address
FROM directory_changes
WHERE day >= current_date - INTERVAL '30' DAY
  AND target_number = 1
  AND (
    lower(activity_display_name) LIKE '%security info%'
    OR property_name LIKE 'StrongAuthentication%'
  )
GROUP BY id
ORDER BY happened_at DESC, user_name, id
LIMIT 200
