-- id:       break-glass
-- name:     Was a break-glass account used or changed?
-- summary:  Every sign-in of the last 30 days with a break-glass account of the settings, and every
--           change to one
-- severity: high
-- technique: T1078.004
-- scans:    five columns of 30 days of sign-ins of users, the targets and ten columns of 30 days of
--           directory audits
-- fields:   userId, userPrincipalName, targetResources
-- blind:    accounts that the settings do not name; they are empty by default
-- key:      happened_at, account, event, by_whom
-- told:     {account}: {event}[ by {by_whom}][ from {ip_address}], {happened_at}
SELECT happened_at, account, event, by_whom, ip_address
FROM (
  SELECT
    seen.created_date_time AS happened_at,
    seen.user_principal_name AS account,
    'sign-in: ' || seen.outcome AS event,
    seen.user_principal_name AS by_whom,
    seen.ip_address AS ip_address,
    seen.id AS id
  FROM attempts AS seen
  JOIN settings ON settings.kind = 'break-glass-account'
    AND (lower(seen.user_principal_name) = settings.value OR seen.person = settings.value)
  WHERE seen.day >= current_date - INTERVAL '30' DAY
    AND seen.event_type IN ('interactiveUser', 'nonInteractiveUser')
  UNION ALL
  SELECT
    changed.happened_at AS happened_at,
    changed.user_name AS account,
    changed.activity AS event,
    changed.actor AS by_whom,
    changed.ip_address AS ip_address,
    changed.id AS id
  FROM audits AS changed
  JOIN settings ON settings.kind = 'break-glass-account'
    AND (lower(changed.user_name) = settings.value OR changed.user_id = settings.value)
  WHERE changed.day >= current_date - INTERVAL '30' DAY
) AS events
ORDER BY happened_at DESC, id
LIMIT 200
