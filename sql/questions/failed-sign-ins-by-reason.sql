-- id:        failed-sign-ins-by-reason
-- name:      Why do sign-ins fail?
-- summary:   The reasons of failed sign-ins of the last 30 days
-- severity:  overview
-- scans:     six columns of 30 days of all sign-ins
--
-- Answers which error codes sign-ins of every kind end with, how often, and how many users and
-- applications that hits.
SELECT
  status.error_code AS error_code,
  max(status.failure_reason) AS reason,
  event_type,
  count(*) AS failed_sign_ins,
  count(DISTINCT user_id) AS users,
  count(DISTINCT app_id) AS applications,
  max(created_date_time) AS last_failed_at
FROM sign_ins_latest
WHERE day >= current_date - INTERVAL '30' DAY
  AND status.error_code <> 0
GROUP BY status.error_code, event_type
ORDER BY failed_sign_ins DESC, error_code, event_type
LIMIT 100
