-- id:       recovery-secrets-read
-- name:     Who read recovery keys or local administrator passwords?
-- summary:  BitLocker keys and passwords of local administrators that were read within the last 30
--           days
-- severity: medium
-- technique: T1552, T1555
-- scans:    the targets and ten columns of 30 days of directory audits
-- fields:   activityDisplayName
-- blind:    keys that are read elsewhere
-- key:      read_by, activity, one_of_them
-- told:     {read_by}: '{activity}', {reads_of_secrets} times, such as {one_of_them}[, from
--           {ip_address}], the last time {last_at}
SELECT
  actor AS read_by,
  act AS activity,
  count(*) AS reads_of_secrets,
  max(target) AS one_of_them,
  max(ip_address) AS ip_address,
  max(happened_at) AS last_at
FROM audits
WHERE day >= current_date - INTERVAL '30' DAY
  AND took_effect = 'yes'
  AND act IN ('read bitlocker key', 'reveal local administrator password', 'recover device local administrator password')
GROUP BY actor, act
ORDER BY last_at DESC, read_by, activity
LIMIT 200
