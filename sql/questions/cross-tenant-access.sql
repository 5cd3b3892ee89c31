-- id:       cross-tenant-access
-- name:     Who opened the tenant to another?
-- summary:  Settings of cross-tenant access, synchronisation and multi-tenant organisations that
--           were added or changed within the last 30 days
-- severity: medium
-- technique: T1484.002, T1199
-- scans:    the targets and ten columns of 30 days of directory audits
-- fields:   activityDisplayName
-- blind:    whether a setting opens or closes: read what changed
-- key:      happened_at, activity, target, changed_by
-- told:     {changed_by} did '{activity}'[ to {target}][ from {ip_address}], {happened_at}
SELECT
  happened_at,
  activity,
  target,
  actor AS changed_by,
  result,
  ip_address
FROM audits
WHERE day >= current_date - INTERVAL '30' DAY
  AND took_effect = 'yes'
  AND (
    act LIKE '%cross-tenant access%setting%'
    OR act LIKE '%cross-tenant identity sync setting%'
    OR act LIKE '%multitenantorg%'
    OR act LIKE '%multitenant org %'
    OR act IN ('add partner to company', 'promote company to partner', 'set partnership', 'update partner directory settings')
  )
ORDER BY happened_at DESC, activity, id
LIMIT 200
