-- id:       risk-dismissed
-- name:     Who dismissed a risk?
-- summary:  Risks of users and applications that somebody dismissed or called safe within the last
--           30 days
-- severity: medium
-- technique: T1562
-- scans:    the targets and ten columns of 30 days of directory audits
-- fields:   activityDisplayName
-- blind:    risks that Entra settles by itself
-- key:      happened_at, activity, about, dismissed_by
-- told:     {dismissed_by} did '{activity}'[ for {about}][ from {ip_address}], {happened_at}
SELECT
  happened_at,
  activity,
  coalesce(user_name, application, target) AS about,
  actor AS dismissed_by,
  ip_address
FROM audits
WHERE day >= current_date - INTERVAL '30' DAY
  AND took_effect = 'yes'
  AND act IN ('dismissuser', 'dismissserviceprincipal', 'confirmsafe', 'confirmserviceprincipalsafe', 'confirmaccountsafe')
ORDER BY happened_at DESC, about, id
LIMIT 200
