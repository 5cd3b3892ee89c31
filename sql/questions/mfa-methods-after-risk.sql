-- id:       mfa-methods-after-risk
-- name:     Who got a new MFA method right after a risky sign-in?
-- summary:  Methods that were registered within a day after a sign-in of the same user at medium or
--           high risk, in the last 30 days
-- severity: high
-- technique: T1556.006, T1098.005
-- scans:    the targets and ten columns of 30 days of directory audits, nine columns of 30 days of
--           sign-ins of users
-- fields:   riskLevelAggregated, riskState, activityDisplayName
-- blind:    risks that Entra does not see; tenants without P2 see states and no levels
-- key:      user_name, happened_at, activity
-- told:     {user_name} got a new method ('{activity}'[ by {added_by}]) [from {ip_address} ]after a
--           risky sign-in[ from {risky_address}], {happened_at}
SELECT
  max(registered.happened_at) AS happened_at,
  max(risky.user_principal_name) AS user_name,
  max(registered.activity) AS activity,
  max(registered.actor) AS added_by,
  min(risky.created_date_time) AS risky_sign_in_at,
  max(risky.ip_address) AS risky_address,
  max(registered.ip_address) AS ip_address
FROM audits AS registered
JOIN attempts AS risky
  ON risky.person = registered.user_id
  AND registered.happened_at >= risky.created_date_time
  AND registered.happened_at <= risky.created_date_time + INTERVAL '24' HOUR
WHERE registered.day >= current_date - INTERVAL '30' DAY
  AND registered.took_effect = 'yes'
  AND registered.act IN (
    'user registered security info', 'user registered all required security info', 'user updated security info',
    'user changed default security info', 'admin registered security info', 'add fido2 security key',
    'add windows hello for business credential', 'add passwordless phone sign-in credential', 'add platform credential',
    'create application password for user', 'add users strong authentication phone app detail'
  )
  AND risky.day >= current_date - INTERVAL '31' DAY
  AND risky.event_type IN ('interactiveUser', 'nonInteractiveUser')
  AND risky.outcome = 'success'
  AND (
    lower(risky.risk_level_aggregated) IN ('medium', 'high')
    OR lower(risky.risk_state) IN ('atrisk', 'confirmedcompromised')
  )
GROUP BY registered.id
ORDER BY happened_at DESC, user_name, activity
LIMIT 100
