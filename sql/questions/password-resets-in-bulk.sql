-- id:       password-resets-in-bulk
-- name:     Who reset many passwords, or revived an account?
-- summary:  Five or more passwords that one administrator reset within an hour, and disabled
--           accounts that were enabled and reset within an hour, in the last 30 days
-- severity: medium
-- technique: T1098, T1531
-- scans:    the targets and ten columns of 30 days of directory audits, three times
-- fields:   activityDisplayName, initiatedBy, targetResources
-- blind:    resets that are more than twelve minutes apart on average
-- key:      happened_at, reset_by, what
-- told:     {reset_by}: {what}, {users} users such as {one_user}[, from {ip_address}],
--           {happened_at}
SELECT happened_at, reset_by, what, users, one_user, ip_address
FROM (
  SELECT
    max(happened_at) AS happened_at,
    actor AS reset_by,
    'many resets' AS what,
    max(until_then) AS users,
    max(user_name) AS one_user,
    max(ip_address) AS ip_address
  FROM (
    SELECT
      *,
      count(*) OVER (
        PARTITION BY actor ORDER BY happened_at RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW
      ) AS until_then
    FROM audits
    WHERE day >= current_date - INTERVAL '30' DAY
      AND took_effect = 'yes'
      AND act IN ('reset password (by admin)', 'reset user password', 'reset password', 'admin started password reset')
  ) AS counted
  GROUP BY actor, day
  HAVING max(until_then) >= 5
  UNION ALL
  SELECT
    max(reset.happened_at) AS happened_at,
    reset.actor AS reset_by,
    'enabled and reset' AS what,
    count(DISTINCT reset.user_id) AS users,
    max(reset.user_name) AS one_user,
    max(reset.ip_address) AS ip_address
  FROM audits AS reset
  JOIN audits AS enabled
    ON enabled.user_id = reset.user_id
    AND enabled.happened_at >= reset.happened_at - INTERVAL '1' HOUR
    AND enabled.happened_at <= reset.happened_at + INTERVAL '1' HOUR
  WHERE reset.day >= current_date - INTERVAL '30' DAY
    AND reset.took_effect = 'yes'
    AND reset.act IN ('reset password (by admin)', 'reset user password', 'reset password')
    AND enabled.day >= current_date - INTERVAL '31' DAY
    AND enabled.took_effect = 'yes'
    AND enabled.act = 'enable account'
  GROUP BY reset.actor, reset.day
) AS resets
ORDER BY happened_at DESC, reset_by, what
LIMIT 100
