-- id:       elevated-access
-- name:     Who elevated their access to all Azure subscriptions?
-- summary:  Global administrators who made themselves User Access Administrator at the root of all
--           subscriptions within the last 30 days
-- severity: high
-- technique: T1098.003
-- scans:    the targets and ten columns of 30 days of directory audits
-- fields:   activityDisplayName, loggedByService
-- blind:    grants inside Azure: those are in Azure's activity log
-- key:      happened_at, elevated_by
-- told:     {elevated_by} elevated their access to all subscriptions[ from {ip_address}],
--           {happened_at}
SELECT
  happened_at,
  actor AS elevated_by,
  activity,
  result,
  ip_address
FROM audits
WHERE day >= current_date - INTERVAL '30' DAY
  AND (
    act LIKE '%elevated%access%'
    OR act LIKE 'assigns the caller to user access administrator%'
    OR service LIKE 'azure rbac%'
  )
ORDER BY happened_at DESC, elevated_by, id
LIMIT 100
