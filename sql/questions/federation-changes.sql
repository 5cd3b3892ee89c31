-- id:       federation-changes
-- name:     Who changed federation or a domain?
-- summary:  Domains of the last 30 days that were added, verified or promoted, or whose
--           authentication or federation was set
-- severity: high
-- technique: T1484.002
-- scans:    the targets and ten columns of 30 days of directory audits
-- fields:   activityDisplayName
-- blind:    changes at the other identity provider
-- key:      happened_at, activity, domain, changed_by
-- told:     {changed_by} did '{activity}' to the domain {domain}[ from {ip_address}], {happened_at}
--
-- Whoever controls a federated domain can sign in as anybody in it.
SELECT
  happened_at,
  activity,
  target AS domain,
  actor AS changed_by,
  result,
  ip_address
FROM audits
WHERE day >= current_date - INTERVAL '30' DAY
  AND took_effect = 'yes'
  AND act IN (
    'set domain authentication', 'set federation settings on domain', 'add unverified domain', 'add verified domain', 'verify domain',
    'verify email verified domain', 'update domain', 'promote sub domain to root domain', 'convert federated user to managed',
    'create identity provider', 'update identity provider', 'create custom identity provider', 'update custom identity provider'
  )
ORDER BY happened_at DESC, activity, id
LIMIT 100
