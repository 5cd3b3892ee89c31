-- id:       privileged-identity-weakened
-- name:     Who weakened Privileged Identity Management?
-- summary:  Role settings that were changed, alerts that were raised or disabled, and roles that
--           were granted outside of PIM within the last 30 days
-- severity: medium
-- technique: T1098.003, T1562
-- scans:    the targets and ten columns of 30 days of directory audits
-- fields:   activityDisplayName
-- blind:    tenants without PIM
-- key:      happened_at, activity, about, changed_by
-- told:     {changed_by} did '{activity}'[ to {about}][ ({reason})][ from {ip_address}],
--           {happened_at}
SELECT
  happened_at,
  activity,
  coalesce(role, target) AS about,
  actor AS changed_by,
  reason,
  ip_address
FROM audits
WHERE day >= current_date - INTERVAL '30' DAY
  AND took_effect = 'yes'
  AND (
    act LIKE 'update role setting in pim%'
    OR act LIKE 'update pim alert setting%'
    OR act IN ('disable pim alert', 'triggered pim alert', 'deactivate pim alert', 'resolve pim alert', 'pim policy removed')
    OR act IN ('add role definition', 'update role definition')
    OR act LIKE 'offboarded resource from pim%'
    OR act LIKE 'tenant offboarded from pim%'
    OR act LIKE 'add member to role outside of pim%'
  )
ORDER BY happened_at DESC, about, id
LIMIT 200
