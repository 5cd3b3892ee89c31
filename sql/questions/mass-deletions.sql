-- id:        mass-deletions
-- name:      Who deleted many things at once?
-- summary:   Whoever deleted ten or more users, groups, devices or applications within an hour
--           in the last 30 days
-- severity:  medium
-- technique: T1531
-- scans:     seven columns of 30 days of directory audits
--
-- Answers who deleted ten or more objects of the directory within one hour of the clock.
SELECT
  coalesce(
    initiated_by."user".user_principal_name,
    initiated_by."user".display_name,
    initiated_by.app.display_name,
    'unknown'
  ) AS deleted_by,
  date_trunc('hour', activity_date_time) AS within_the_hour,
  count(*) AS deletions,
  count(DISTINCT category) AS kinds,
  min(activity_display_name) AS one_activity,
  max(activity_date_time) AS last_at
FROM directory_audits_latest
WHERE day >= current_date - INTERVAL '30' DAY
  AND result = 'success'
  AND (
    activity_display_name LIKE 'Delete %'
    OR activity_display_name LIKE 'Hard delete %'
  )
GROUP BY 1, 2
HAVING count(*) >= 10
ORDER BY deletions DESC, within_the_hour DESC, deleted_by
LIMIT 100
