-- id:       conditional-access-weakened
-- name:     Who weakened conditional access?
-- summary:  Policies that were deleted, switched off or set to report only, or that got exclusions,
--           within the last 30 days
-- severity: high
-- technique: T1556.009, T1562
-- scans:    the targets and ten columns of 30 days of directory audits
-- fields:   modifiedProperties ConditionalAccessPolicy
-- blind:    a change of conditions that makes a policy apply to fewer: see all changes
-- key:      happened_at, policy, how, changed_by
-- told:     {changed_by} changed the policy {policy}: {how}[, from {ip_address}], {happened_at}
SELECT
  activity_date_time AS happened_at,
  activity_display_name AS activity,
  target_name AS policy,
  CASE
    WHEN lower(activity_display_name) LIKE 'delete conditional access policy%' THEN 'deleted'
    WHEN lower(new_value) LIKE '%"state":"disabled"%' AND lower(coalesce(old_value, '')) NOT LIKE '%"state":"disabled"%' THEN 'switched off'
    WHEN lower(new_value) LIKE '%"state":"enabledforreportingbutnotenforced"%'
      AND lower(coalesce(old_value, '')) LIKE '%"state":"enabled"%' THEN 'report only'
    ELSE 'exclusion added'
  END AS how,
  actor AS changed_by,
  actor_ip_address AS ip_address
FROM directory_changes
WHERE day >= current_date - INTERVAL '30' DAY
  AND target_number = 1
  AND coalesce(result, 'success') IN ('success', '')
  AND (
    (lower(activity_display_name) LIKE 'delete conditional access policy%' AND property_number = 1)
    OR (
      lower(activity_display_name) LIKE 'update conditional access policy%'
      AND old_value IS NOT NULL
      AND (
        (lower(new_value) LIKE '%"state":"disabled"%' AND lower(old_value) NOT LIKE '%"state":"disabled"%')
        OR (lower(new_value) LIKE '%"state":"enabledforreportingbutnotenforced"%' AND lower(old_value) LIKE '%"state":"enabled"%')
        OR length(coalesce(split_part(split_part(lower(new_value), '"excludeusers":[', 2), ']', 1), ''))
          > length(coalesce(split_part(split_part(lower(old_value), '"excludeusers":[', 2), ']', 1), ''))
        OR length(coalesce(split_part(split_part(lower(new_value), '"excludegroups":[', 2), ']', 1), ''))
          > length(coalesce(split_part(split_part(lower(old_value), '"excludegroups":[', 2), ']', 1), ''))
        OR length(coalesce(split_part(split_part(lower(new_value), '"excludeapplications":[', 2), ']', 1), ''))
          > length(coalesce(split_part(split_part(lower(old_value), '"excludeapplications":[', 2), ']', 1), ''))
      )
    )
  )
ORDER BY happened_at DESC, id, property_number
LIMIT 100
