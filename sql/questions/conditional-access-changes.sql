-- id:       conditional-access-changes
-- name:     Who changed conditional access?
-- summary:  Conditional access policies, named locations, authentication contexts and security
--           defaults that were added, changed or deleted within the last 90 days
-- severity: medium
-- technique: T1556.009
-- scans:    the targets and eight other columns of 90 days of directory audits
-- fields:   activityDisplayName, modifiedProperties
-- blind:    which users a policy stops applying to when their groups change
-- key:      happened_at, activity, policy, changed_by
-- told:     {changed_by} did '{activity}' to {policy}[ from {ip_address}], {happened_at}
--
-- Answers which of them were changed, by whom, and what they said before and after.
SELECT
  activity_date_time AS happened_at,
  activity_display_name AS activity,
  target_name AS policy,
  actor AS changed_by,
  actor_ip_address AS ip_address,
  old_value,
  new_value,
  result
FROM directory_changes
WHERE day >= current_date - INTERVAL '90' DAY
  AND target_number = 1
  AND (
    lower(activity_display_name) LIKE '%conditional access policy%'
    OR lower(activity_display_name) LIKE '%named location%'
    OR lower(activity_display_name) LIKE '%authenticationcontextclassreference%'
    OR lower(activity_display_name) LIKE '%security defaults%'
    OR lower(activity_display_name) LIKE '%continuous access evaluation%'
    OR lower(trim(activity_display_name)) IN ('add policy', 'update policy', 'delete policy')
  )
ORDER BY happened_at DESC, id, property_number
LIMIT 200
