-- id:       role-activations
-- name:     Who activated a role?
-- summary:  Activations of eligible roles within the last 30 days, and requests for one that were
--           refused
-- severity: overview
-- technique: T1098.003
-- scans:    the targets and eleven columns of 30 days of directory audits
SELECT
  happened_at,
  coalesce(user_name, group_name, actor) AS activated_for,
  role,
  actor AS activated_by,
  activity,
  reason,
  ip_address
FROM audits
WHERE day >= current_date - INTERVAL '30' DAY
  AND act IN (
    'add member to role completed (pim activation)',
    'add member to role request denied (pim activation)'
  )
ORDER BY happened_at DESC, activated_for, id
LIMIT 200
