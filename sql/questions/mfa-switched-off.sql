-- id:       mfa-switched-off
-- name:     For whom was MFA switched off?
-- summary:  Users whose strong authentication an administrator disabled within the last 30 days
-- severity: medium
-- technique: T1556.006
-- scans:    the targets and ten columns of 30 days of directory audits
-- fields:   activityDisplayName
-- blind:    policies that stop to apply: see conditional access
-- key:      happened_at, user_name, switched_off_by
-- told:     {switched_off_by} switched off MFA for {user_name}[ from {ip_address}], {happened_at}
SELECT
  happened_at,
  coalesce(user_name, target) AS user_name,
  activity,
  actor AS switched_off_by,
  ip_address
FROM audits
WHERE day >= current_date - INTERVAL '30' DAY
  AND took_effect = 'yes'
  AND act LIKE 'disable strong authentication%'
ORDER BY happened_at DESC, user_name, id
LIMIT 200
