-- id:       guests-made-members
-- name:     Which guests were made members, or members guests?
-- summary:  Users whose type was changed within the last 30 days: a guest who becomes a member sees
--           the whole directory
-- severity: medium
-- technique: T1098
-- scans:    the targets and nine other columns of 30 days of directory audits
-- fields:   modifiedProperties UserType
-- blind:    guests who were members from the start
-- key:      happened_at, user_name, type_after
-- told:     {changed_by} made {user_name} a {type_after}[ (before: {type_before})][ from
--           {ip_address}], {happened_at}
SELECT
  activity_date_time AS happened_at,
  coalesce(nullif(target_user_principal_name, ''), nullif(target_name, ''), target_id) AS user_name,
  old_value AS type_before,
  new_value AS type_after,
  actor AS changed_by,
  actor_ip_address AS ip_address
FROM directory_changes
WHERE day >= current_date - INTERVAL '30' DAY
  AND coalesce(result, 'success') IN ('success', '')
  AND lower(trim(activity_display_name)) = 'update user'
  AND lower(property_name) = 'usertype'
  AND lower(coalesce(old_value, '')) <> lower(coalesce(new_value, ''))
  AND lower(coalesce(old_value, '')) LIKE '%guest%'
ORDER BY happened_at DESC, user_name, id
LIMIT 100
