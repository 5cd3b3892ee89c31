-- id:       administrator-activity
-- name:     What did each administrator do?
-- summary:  Changes to the directory of the last 30 days by whoever made them, without what people
--           change about themselves
-- severity: overview
-- scans:    the targets and seven other columns of 30 days of directory audits
--
-- Answers who changed others' users, groups, roles, policies and applications, how often, from
-- which addresses.
SELECT
  actor AS administrator,
  category,
  count(DISTINCT id) AS changes,
  count(DISTINCT CASE WHEN result <> 'success' THEN id END) AS without_success,
  count(DISTINCT activity_display_name) AS activities,
  max(activity_display_name) AS one_activity,
  count(DISTINCT nullif(actor_ip_address, '')) AS addresses,
  min(activity_date_time) AS first_at,
  max(activity_date_time) AS last_at
FROM directory_changes
WHERE day >= current_date - INTERVAL '30' DAY
  AND actor_is_user
  AND target_number = 1
  AND lower(coalesce(target_id, '')) <> coalesce(actor_id, '')
  AND lower(coalesce(target_user_principal_name, '')) <> lower(actor)
  AND lower(coalesce(logged_by_service, '')) NOT LIKE 'self-service%'
GROUP BY actor, category
ORDER BY changes DESC, administrator, category
LIMIT 200
