-- id:       application-takeovers
-- name:     Who changed where an application sends its users, or who owns it?
-- summary:  Redirect addresses, identifiers and owners of applications that were added or changed
--           within the last 30 days
-- severity: medium
-- technique: T1098.001
-- scans:    the targets and nine other columns of 30 days of directory audits
-- fields:   activityDisplayName, modifiedProperties AppAddress, AppIdentifierUri
-- blind:    addresses that were there before and changed hands
-- key:      happened_at, application_or_owner, changed, new_value
-- told:     {changed_by} changed {changed} of {application_or_owner}[ to {new_value}][, from
--           {ip_address}], {happened_at}
SELECT
  activity_date_time AS happened_at,
  activity_display_name AS activity,
  coalesce(nullif(target_name, ''), nullif(target_user_principal_name, ''), target_id) AS application_or_owner,
  property_name AS changed,
  old_value,
  new_value,
  actor AS changed_by,
  actor_ip_address AS ip_address
FROM directory_changes
WHERE day >= current_date - INTERVAL '30' DAY
  AND coalesce(result, 'success') IN ('success', '')
  AND (
    (
      lower(property_name) IN ('appaddress', 'replyurls', 'appidentifieruri', 'identifieruris')
      AND (
        lower(activity_display_name) LIKE 'update application%'
        OR lower(activity_display_name) LIKE 'update service principal%'
      )
      AND coalesce(old_value, '') NOT IN ('', '[]')
      AND coalesce(new_value, '') <> coalesce(old_value, '')
    )
    OR (
      lower(trim(activity_display_name)) IN ('add owner to application', 'add owner to service principal')
      AND target_number = 1
      AND property_number = 1
    )
  )
ORDER BY happened_at DESC, application_or_owner, id, property_number
LIMIT 200
