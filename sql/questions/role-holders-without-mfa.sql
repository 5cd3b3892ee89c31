-- id:       role-holders-without-mfa
-- name:     Who was given a role and signs in with one factor?
-- summary:  Users who were given a role within 90 days, as far as the archive holds it, and signed
--           in with a single factor within 30
-- severity: medium
-- technique: T1078.004
-- scans:    seven columns of 30 days of interactive sign-ins, the targets and ten columns of 90
--           days of directory audits
-- fields:   authenticationRequirement; the audits of roles
-- blind:    whoever had the role before the archive began: Graph's logs do not say who holds a role
-- key:      user_name, role
-- told:     {user_name}, who was given {role}, signed in [to {application} ]with one factor[ from
--           {ip_address}], {sign_ins} times, the last time {last_at}
SELECT
  max(seen.user_principal_name) AS user_name,
  max(granted.role) AS role,
  count(DISTINCT seen.id) AS sign_ins,
  max(seen.app_display_name) AS application,
  max(seen.ip_address) AS ip_address,
  max(seen.created_date_time) AS last_at
FROM attempts AS seen
JOIN audits AS granted
  ON granted.user_id = seen.person
  AND granted.happened_at <= seen.created_date_time
WHERE seen.day >= current_date - INTERVAL '30' DAY
  AND seen.event_type = 'interactiveUser'
  AND seen.outcome = 'success'
  AND seen.authentication_requirement = 'singleFactorAuthentication'
  AND granted.day >= current_date - INTERVAL '90' DAY
  AND granted.took_effect = 'yes'
  AND (
    granted.act LIKE 'add%member to role%'
    OR granted.act IN ('add role assignment to role definition', 'add eligibleroleassignment to roledefinition')
  )
GROUP BY seen.person
ORDER BY last_at DESC, user_name
LIMIT 100
