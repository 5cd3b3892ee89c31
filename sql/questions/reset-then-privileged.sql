-- id:       reset-then-privileged
-- name:     Whose password was reset before they changed roles or applications?
-- summary:  Users who, within a day after an administrator reset their password, granted a role, a
--           permission or a credential, or changed a policy, in the last 30 days
-- severity: high
-- technique: T1098
-- scans:    the targets and ten columns of 30 days of directory audits, twice
-- fields:   activityDisplayName, initiatedBy, targetResources
-- blind:    passwords that the user reset by self-service
-- key:      user_name, reset_at
-- told:     {user_name}, whose password {reset_by} reset, {reset_at}, then did '{activity}'[ from
--           {ip_address}], {happened_at}
SELECT
  max(acted.happened_at) AS happened_at,
  max(acted.actor) AS user_name,
  max(acted.activity) AS activity,
  count(DISTINCT acted.id) AS acts,
  max(reset.actor) AS reset_by,
  max(reset.happened_at) AS reset_at,
  max(acted.ip_address) AS ip_address
FROM audits AS reset
JOIN audits AS acted
  ON acted.actor_id = reset.user_id
  AND acted.happened_at >= reset.happened_at
  AND acted.happened_at <= reset.happened_at + INTERVAL '24' HOUR
WHERE reset.day >= current_date - INTERVAL '31' DAY
  AND reset.took_effect = 'yes'
  AND reset.act IN ('reset password (by admin)', 'reset user password', 'reset password')
  AND coalesce(reset.actor_id, '') <> reset.user_id
  AND acted.day >= current_date - INTERVAL '30' DAY
  AND acted.took_effect = 'yes'
  AND acted.act NOT LIKE '%pim activation%'
  AND (
    acted.act LIKE 'add%member to role%'
    OR acted.act LIKE 'consent to application%'
    OR acted.act LIKE 'add app role assignment to service principal%'
    OR acted.act LIKE 'add delegated permission grant%'
    OR acted.act LIKE 'add service principal credentials%'
    OR acted.act LIKE 'update application%certificates and secrets%'
    OR acted.act LIKE '%conditional access policy%'
    OR acted.act LIKE 'set domain authentication%'
  )
GROUP BY acted.actor_id
ORDER BY happened_at DESC, user_name
LIMIT 100
