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
--
-- Who makes an application becomes its owner within minutes; that is left out.
SELECT
  changes.activity_date_time AS happened_at,
  changes.activity_display_name AS activity,
  coalesce(nullif(changes.target_name, ''), nullif(changes.target_user_principal_name, ''), changes.target_id) AS application_or_owner,
  changes.property_name AS changed,
  changes.old_value,
  changes.new_value,
  changes.actor AS changed_by,
  changes.actor_ip_address AS ip_address
FROM directory_changes AS changes
LEFT JOIN (
  SELECT DISTINCT owned.id AS id
  FROM audits AS owned
  JOIN audits AS made
    ON made.application_id = owned.application_id
    AND made.actor_id = owned.actor_id
    AND made.happened_at >= owned.happened_at - INTERVAL '5' MINUTE
    AND made.happened_at <= owned.happened_at
  WHERE owned.day >= current_date - INTERVAL '30' DAY
    AND owned.act IN ('add owner to application', 'add owner to service principal')
    AND owned.user_id = owned.actor_id
    AND made.day >= current_date - INTERVAL '31' DAY
    AND made.act IN ('add application', 'add service principal')
) AS of_the_maker ON of_the_maker.id = changes.id
WHERE changes.day >= current_date - INTERVAL '30' DAY
  AND of_the_maker.id IS NULL
  AND coalesce(changes.result, 'success') IN ('success', '')
  AND (
    (
      lower(changes.property_name) IN ('appaddress', 'replyurls', 'appidentifieruri', 'identifieruris')
      AND (
        lower(changes.activity_display_name) LIKE 'update application%'
        OR lower(changes.activity_display_name) LIKE 'update service principal%'
      )
      AND coalesce(changes.old_value, '') NOT IN ('', '[]')
      AND coalesce(changes.new_value, '') <> coalesce(changes.old_value, '')
    )
    OR (
      lower(trim(changes.activity_display_name)) IN ('add owner to application', 'add owner to service principal')
      AND changes.target_number = 1
      AND changes.property_number = 1
    )
  )
ORDER BY happened_at DESC, application_or_owner, changes.id, changes.property_number
LIMIT 200
