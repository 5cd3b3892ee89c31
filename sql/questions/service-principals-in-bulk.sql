-- id:       service-principals-in-bulk
-- name:     Who made many applications at once?
-- summary:  Five or more service principals or applications that one user added within an hour in
--           the last 30 days
-- severity: medium
-- technique: T1136.003, T1496
-- scans:    the targets and ten columns of 30 days of directory audits
-- fields:   activityDisplayName, initiatedBy.user
-- blind:    applications that Microsoft adds by itself, which no user starts
-- key:      added_by, day
-- told:     {added_by} made {within_an_hour} applications within an hour, such as {one_of_them}[,
--           from {ip_address}], {first_at} to {last_at}
SELECT
  actor AS added_by,
  day,
  max(until_then) AS within_an_hour,
  max(target) AS one_of_them,
  max(ip_address) AS ip_address,
  min(CASE WHEN from_then >= 5 THEN happened_at END) AS first_at,
  max(happened_at) AS last_at
FROM (
  SELECT
    *,
    count(*) OVER (
      PARTITION BY actor ORDER BY happened_at RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW
    ) AS until_then,
    count(*) OVER (
      PARTITION BY actor ORDER BY happened_at RANGE BETWEEN CURRENT ROW AND INTERVAL '1' HOUR FOLLOWING
    ) AS from_then
  FROM audits
  WHERE day >= current_date - INTERVAL '30' DAY
    AND act IN ('add service principal', 'add application')
    AND took_effect = 'yes'
    AND actor_is_user
) AS counted
GROUP BY actor, day
HAVING max(until_then) >= 5
ORDER BY last_at DESC, added_by
LIMIT 100
