-- id:       guests-invited
-- name:     Which guests were invited?
-- summary:  Guests who were invited within the last 30 days, and by whom
-- severity: overview
-- technique: T1136.003
-- scans:    the targets and ten columns of 30 days of directory audits
SELECT
  happened_at,
  coalesce(user_name, target) AS guest,
  activity,
  actor AS invited_by,
  result,
  ip_address
FROM audits
WHERE day >= current_date - INTERVAL '30' DAY
  AND act LIKE 'invite%user%'
  AND act NOT LIKE '%bulk%'
ORDER BY happened_at DESC, guest, id
LIMIT 200
