-- id:       short-lived-accounts
-- name:     Which accounts lived for less than a day?
-- summary:  Accounts of the last 30 days that were created or invited and deleted again within 24
--           hours
-- severity: medium
-- technique: T1136.003, T1070
-- scans:    the targets and ten columns of 31 days of directory audits, twice
-- fields:   activityDisplayName, targetResources
-- blind:    accounts that are left in place
-- key:      user_name, created_at
-- told:     {user_name} was made[ by {created_by}], {created_at}, and deleted[ by {deleted_by}][
--           from {ip_address}], {deleted_at}
SELECT
  max(deleted.happened_at) AS deleted_at,
  max(made.happened_at) AS created_at,
  max(made.user_name) AS user_name,
  max(made.actor) AS created_by,
  max(deleted.actor) AS deleted_by,
  max(deleted.ip_address) AS ip_address
FROM audits AS made
JOIN audits AS deleted
  ON deleted.user_id = made.user_id
  AND deleted.happened_at >= made.happened_at
  AND deleted.happened_at <= made.happened_at + INTERVAL '24' HOUR
WHERE made.day >= current_date - INTERVAL '31' DAY
  AND made.took_effect = 'yes'
  AND made.act IN ('add user', 'invite external user')
  AND deleted.day >= current_date - INTERVAL '30' DAY
  AND deleted.took_effect = 'yes'
  AND deleted.act IN ('delete user', 'hard delete user', 'delete external user')
GROUP BY made.user_id
ORDER BY deleted_at DESC, user_name
LIMIT 100
