-- id:       prompts-reported
-- name:     Who reported or refused a prompt as not their own?
-- summary:  Users of the last 30 days who reported a prompt as suspicious or fraud, which means
--           that somebody has their password
-- severity: high
-- technique: T1621
-- scans:    the targets and ten columns of 30 days of directory audits
-- fields:   activityDisplayName, targetResources
-- blind:    users who refuse without a report: see the worn down
-- key:      happened_at, user_name, activity
-- told:     {user_name}: '{activity}'[ ({reason})][ from {ip_address}], {happened_at}
SELECT
  happened_at,
  coalesce(user_name, target, actor) AS user_name,
  activity,
  reason,
  ip_address
FROM audits
WHERE day >= current_date - INTERVAL '30' DAY
  AND (
    act = 'suspicious activity reported'
    OR act LIKE 'fraud reported%'
    OR act LIKE '%user reported%suspicious%'
  )
ORDER BY happened_at DESC, user_name, id
LIMIT 100
