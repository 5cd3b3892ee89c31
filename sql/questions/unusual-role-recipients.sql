-- id:       unusual-role-recipients
-- name:     Which guest, new account, application or group was given a role?
-- summary:  Roles granted within the last 30 days to a guest, to an account of the fortnight
--           before, to an application, to a group, or through membership of a group that can hold
--           roles
-- severity: high
-- technique: T1098.003, T1136.003
-- scans:    the targets and eleven columns of 30 days of directory audits, twice, and six of 44
--           days
-- fields:   activityDisplayName, targetResources, modifiedProperties IsAssignableToRole
-- blind:    accounts and groups that were made before the archive began
-- key:      happened_at, given_to, role
-- told:     {given_by} gave {role} to {given_to} ({why})[ from {ip_address}], {happened_at}
SELECT
  granted.happened_at AS happened_at,
  coalesce(granted.user_name, granted.group_name, granted.application, granted.target) AS given_to,
  granted.role AS role,
  CASE
    WHEN assignable.group_id IS NOT NULL AND granted.act = 'add member to group' THEN 'through a group that can hold roles'
    WHEN lower(granted.user_name) LIKE '%#ext#%' THEN 'guest'
    WHEN fresh.user_id IS NOT NULL THEN 'new account'
    WHEN granted.user_name IS NULL AND granted.application IS NOT NULL THEN 'application'
    ELSE 'group'
  END AS why,
  granted.actor AS given_by,
  granted.activity AS activity,
  granted.ip_address AS ip_address
FROM audits AS granted
LEFT JOIN (
  SELECT user_id, max(happened_at) AS made_at
  FROM audits
  WHERE day >= current_date - INTERVAL '44' DAY
    AND act IN ('add user', 'invite external user')
    AND took_effect = 'yes'
  GROUP BY user_id
) AS fresh
  ON fresh.user_id = granted.user_id
  AND granted.happened_at >= fresh.made_at
  AND granted.happened_at <= fresh.made_at + INTERVAL '14' DAY
LEFT JOIN (
  SELECT DISTINCT lower(target_id) AS group_id
  FROM directory_changes
  WHERE day >= current_date - INTERVAL '90' DAY
    AND lower(property_name) = 'isassignabletorole'
    AND lower(new_value) LIKE '%true%'
) AS assignable ON assignable.group_id = granted.group_id
WHERE granted.day >= current_date - INTERVAL '30' DAY
  AND granted.took_effect = 'yes'
  AND granted.act NOT LIKE '%pim activation%'
  AND (
    (granted.act = 'add member to group' AND assignable.group_id IS NOT NULL)
    OR (
      (
        granted.act LIKE 'add%member to role%'
        OR granted.act LIKE 'add role assignment to role definition%'
        OR granted.act LIKE 'add eligibleroleassignment to roledefinition%'
      )
      AND (
        lower(granted.user_name) LIKE '%#ext#%'
        OR fresh.user_id IS NOT NULL
        OR (granted.user_name IS NULL AND (granted.application IS NOT NULL OR granted.group_name IS NOT NULL))
      )
    )
  )
ORDER BY happened_at DESC, given_to, granted.id
LIMIT 100
