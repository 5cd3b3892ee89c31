-- id:       mfa-methods-by-others
-- name:     Whose MFA methods did somebody else add?
-- summary:  Methods that an administrator or an application registered for a user within the last
--           30 days, and temporary access passes
-- severity: medium
-- technique: T1556.006, T1098.005
-- scans:    the targets and ten columns of 30 days of directory audits
-- fields:   activityDisplayName, initiatedBy, targetResources
-- blind:    an intruder who acts as the user: see methods after a risk
-- key:      happened_at, user_name, activity, added_by
-- told:     {added_by} did '{activity}' for {user_name}[ ({reason})][ from {ip_address}],
--           {happened_at}
SELECT
  happened_at,
  coalesce(user_name, target) AS user_name,
  activity,
  actor AS added_by,
  reason,
  ip_address
FROM audits
WHERE day >= current_date - INTERVAL '30' DAY
  AND took_effect = 'yes'
  AND actor_is_user
  AND coalesce(user_id, '') <> coalesce(actor_id, '')
  AND lower(coalesce(user_name, '')) <> lower(actor)
  AND (
    act LIKE 'admin registered security info%'
    OR act LIKE 'admin updated security info%'
    OR act LIKE '%temporary access pass%'
    OR lower(coalesce(reason, '')) LIKE '%temporary access pass%'
    OR act IN (
      'add fido2 security key', 'add windows hello for business credential', 'add passwordless phone sign-in credential',
      'add platform credential', 'create application password for user', 'add users strong authentication phone app detail',
      'assign hardware oath token', 'get passkey creation options'
    )
  )
ORDER BY happened_at DESC, user_name, id
LIMIT 200
