-- id:       mass-deletions
-- name:     Who deleted many things at once?
-- summary:  Whoever deleted, purged or disabled ten or more users, groups, devices or applications
--           within an hour in the last 30 days
-- severity: high
-- technique: T1531, T1485
-- scans:    the targets and ten columns of 30 days of directory audits
-- fields:   activityDisplayName, initiatedBy
-- blind:    deletions that are more than six minutes apart on average
-- key:      deleted_by, day
-- told:     {deleted_by} deleted or disabled {deletions_within_an_hour} objects within an hour[
--           from {ip_address}], such as '{one_activity}', {first_at} to {last_at}
--
-- Any hour counts, not that of the clock; and one bulk operation counts alone.
SELECT
  actor AS deleted_by,
  day,
  max(until_then) AS deletions_within_an_hour,
  count(DISTINCT category) AS kinds,
  min(activity) AS one_activity,
  max(ip_address) AS ip_address,
  min(CASE WHEN from_then >= 10 THEN happened_at END) AS first_at,
  max(CASE WHEN until_then >= 10 THEN happened_at END) AS last_at
FROM (
  SELECT
    *,
    sum(CASE WHEN act LIKE 'bulk delete%' THEN 10 ELSE 1 END) OVER (
      PARTITION BY actor ORDER BY happened_at RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW
    ) AS until_then,
    sum(CASE WHEN act LIKE 'bulk delete%' THEN 10 ELSE 1 END) OVER (
      PARTITION BY actor ORDER BY happened_at RANGE BETWEEN CURRENT ROW AND INTERVAL '1' HOUR FOLLOWING
    ) AS from_then
  FROM audits
  WHERE day >= current_date - INTERVAL '30' DAY
    AND took_effect = 'yes'
    AND (
      act LIKE 'hard delete %'
      OR act IN (
        'delete user', 'delete external user', 'delete group', 'delete device', 'delete application', 'delete administrative unit',
        'delete conditional access policy', 'delete contact', 'remove service principal', 'disable account', 'group_delete', 'user_delete',
        'device_delete', 'unregister device', 'delete role definition'
      )
      OR act LIKE 'bulk delete users%'
    )
) AS counted
GROUP BY actor, day
HAVING max(until_then) >= 10
ORDER BY deletions_within_an_hour DESC, day DESC, deleted_by
LIMIT 100
