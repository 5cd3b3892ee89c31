-- id:       hidden-memberships
-- name:     Who changed the rule of a group or an administrative unit?
-- summary:  Membership rules of dynamic groups, and administrative units, that were changed within
--           the last 30 days
-- severity: medium
-- technique: T1098, T1564
-- scans:    the targets and nine other columns of 30 days of directory audits
-- fields:   modifiedProperties MembershipRule, activityDisplayName
-- blind:    attributes of users that an old rule looks at
-- key:      happened_at, target, changed, new_value
-- told:     {changed_by} changed {changed} of {target}[ to {new_value}][, from {ip_address}],
--           {happened_at}
SELECT
  activity_date_time AS happened_at,
  activity_display_name AS activity,
  coalesce(nullif(target_name, ''), nullif(target_user_principal_name, ''), target_id) AS target,
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
      lower(property_name) = 'membershiprule'
      AND lower(trim(activity_display_name)) = 'update group'
      AND coalesce(new_value, '') <> coalesce(old_value, '')
    )
    OR (
      lower(activity_display_name) LIKE '%administrative unit%'
      AND lower(activity_display_name) NOT LIKE '%to role%'
      AND lower(activity_display_name) NOT LIKE '%from role%'
      AND target_number = 1
      AND property_number = 1
    )
  )
ORDER BY happened_at DESC, target, id, property_number
LIMIT 200
