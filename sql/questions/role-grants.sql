-- id:        role-grants
-- name:      Who was given a role?
-- summary:   Roles of the directory that were granted, or made available for activation, within
--           the last 30 days
-- severity:  medium
-- technique: T1098.003
-- scans:     the targets and nine other columns of 30 days of directory audits
--
-- Answers who received which role, from whom, and from which address it was granted.
SELECT
  max(activity_date_time) AS happened_at,
  max(target_name) AS given_to,
  max(CASE WHEN property_name = 'Role.DisplayName' THEN replace(new_value, '"', '') END) AS role,
  max(actor) AS given_by,
  max(activity_display_name) AS activity,
  max(result) AS result,
  max(actor_ip_address) AS ip_address
FROM directory_changes
WHERE day >= current_date - INTERVAL '30' DAY
  AND category = 'RoleManagement'
  AND activity_display_name LIKE 'Add%member to role%'
GROUP BY id
ORDER BY happened_at DESC, given_to, id
LIMIT 200
