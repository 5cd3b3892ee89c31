-- id:       identity-anchors-changed
-- name:     Whose tokens' start or immutable id did somebody else change?
-- summary:  Users whose immutable id, or start time of valid tokens, somebody else set within the
--           last 30 days
-- severity: medium
-- technique: T1098, T1606.002
-- scans:    the targets and nine other columns of 30 days of directory audits
-- fields:   modifiedProperties SourceAnchor, StsRefreshTokenValidFrom
-- blind:    anchors that directory synchronisation sets, which no user starts
-- key:      happened_at, user_name, changed, new_value
-- told:     {changed_by} changed {changed} of {user_name}[ from {ip_address}], {happened_at}
--
-- An immutable id that somebody writes lets a federated domain sign in as this user. A start time
-- that moves back revives old tokens.
SELECT
  activity_date_time AS happened_at,
  coalesce(nullif(target_user_principal_name, ''), nullif(target_name, ''), target_id) AS user_name,
  property_name AS changed,
  old_value,
  new_value,
  actor AS changed_by,
  actor_ip_address AS ip_address
FROM directory_changes
WHERE day >= current_date - INTERVAL '30' DAY
  AND coalesce(result, 'success') IN ('success', '')
  AND actor_is_user
  AND lower(coalesce(target_id, '')) <> coalesce(actor_id, '')
  AND coalesce(new_value, '') <> coalesce(old_value, '')
  AND (
    lower(property_name) IN ('sourceanchor', 'immutableid', 'onpremisesimmutableid')
    OR (lower(property_name) = 'stsrefreshtokensvalidfrom' AND lower(activity_display_name) NOT LIKE '%stsrefreshtokenvalidfrom%'
      AND coalesce(new_value, '') < coalesce(old_value, ''))
    OR (lower(activity_display_name) LIKE 'update stsrefreshtokenvalidfrom%' AND coalesce(new_value, '') < coalesce(old_value, ''))
  )
ORDER BY happened_at DESC, user_name, id, property_number
LIMIT 100
