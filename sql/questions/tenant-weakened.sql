-- id:       tenant-weakened
-- name:     Who weakened the tenant's own defences?
-- summary:  Changes of the last 30 days to security defaults, methods and strengths of
--           authentication, certificate authorities, device registration, consent and authorization
--           policies
-- severity: medium
-- technique: T1556, T1484
-- scans:    the targets and ten columns of 30 days of directory audits
-- fields:   activityDisplayName
-- blind:    whether a change weakened or strengthened: read what changed
-- key:      happened_at, activity, target, changed_by
-- told:     {changed_by} did '{activity}'[ to {target}][ from {ip_address}], {happened_at}
SELECT
  happened_at,
  activity,
  target,
  actor AS changed_by,
  result,
  ip_address
FROM audits
WHERE day >= current_date - INTERVAL '30' DAY
  AND took_effect = 'yes'
  AND (
    act LIKE 'update security defaults%'
    OR act LIKE 'authentication methods policy %'
    OR act LIKE 'authentication strength policy %'
    OR act LIKE 'authentication strength combination configuration %'
    OR act LIKE '%certificationbasedauthconfiguration%'
    OR act LIKE '%certificatebasedauthconfiguration%'
    OR act LIKE 'set device registration policies%'
    OR act LIKE '%permission grant policy%'
    OR act LIKE 'update authorization policy%'
    OR act LIKE 'update continuous access evaluation%'
    OR act LIKE 'set password policy%'
    OR act LIKE 'update user risk and mfa registration policy%'
    OR act LIKE 'update sign-in risk policy%'
    OR act LIKE 'update identityprotectionpolicy%'
    OR act IN ('add bypass user', 'post tenant.createbypasseduser', 'disable passthrough authentication', 'enable passthrough authentication')
    OR act IN ('set dirsyncenabled flag', 'set dirsync feature', 'set accidental deletion threshold')
  )
ORDER BY happened_at DESC, activity, id
LIMIT 200
