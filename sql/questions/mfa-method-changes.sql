-- id:       mfa-method-changes
-- name:     Whose MFA methods were changed?
-- summary:  Methods of strong authentication that were registered, changed or deleted within the
--           last 30 days
-- severity: low
-- technique: T1556.006, T1098.005
-- scans:    the targets and ten columns of 30 days of directory audits
-- fields:   activityDisplayName, targetResources, modifiedProperties StrongAuthentication…
-- blind:    methods of another identity provider
--
-- Answers for whom a second factor was added, changed or removed, and whether by themselves or by
-- somebody else. What was only reviewed, started or canceled is no change.
SELECT
  happened_at,
  coalesce(user_name, target) AS user_name,
  activity,
  actor AS changed_by,
  CASE WHEN user_id = actor_id OR lower(user_name) = lower(actor) THEN 'themselves' ELSE '' END AS changed_by_themselves,
  methods AS new_methods,
  reason,
  ip_address
FROM (
  SELECT audits.*, properties.methods AS methods
  FROM audits
  LEFT JOIN (
    SELECT id, max(coalesce(new_value, '')) AS methods
    FROM directory_changes
    WHERE day >= current_date - INTERVAL '30' DAY
      AND lower(property_name) LIKE 'strongauthentication%'
    GROUP BY id
  ) AS properties ON properties.id = audits.id
  WHERE day >= current_date - INTERVAL '30' DAY
    AND took_effect = 'yes'
) AS changes
WHERE methods IS NOT NULL
  OR act IN (
    'add fido2 security key', 'delete fido2 security key(s)', 'add windows hello for business credential',
    'delete windows hello for business credential', 'add passwordless phone sign-in credential',
    'delete passwordless phone sign-in credential', 'add platform credential', 'delete platform credential',
    'create application password for user', 'delete application password for user',
    'add users strong authentication phone app detail', 'remove users strong authentication phone app detail',
    'disable strong authentication', 'enable strong authentication', 'set user oath token metadata enabled',
    'user registered security info', 'user registered all required security info', 'user deleted security info',
    'user updated security info', 'user changed default security info', 'admin registered security info',
    'admin updated security info', 'admin deleted security info', 'assign hardware oath token',
    'security info saved for self-service password reset'
  )
  OR act LIKE '%temporary access pass%'
  OR act LIKE '%passkey%'
  AND act NOT LIKE 'get passkey%'
ORDER BY happened_at DESC, user_name, id
LIMIT 200
