-- id:       failed-sign-ins-by-reason
-- name:     Why do sign-ins fail?
-- summary:  The reasons of failed and interrupted sign-ins of the last 30 days
-- severity: overview
-- scans:    seven columns of 30 days of all sign-ins
--
-- Answers which error codes sign-ins of every kind end with, how often, and how many users and
-- applications that hits. An interrupt asks for something more, such as a second factor.
SELECT
  status.error_code AS error_code,
  max(status.failure_reason) AS reason,
  outcome,
  event_type,
  count(*) AS failed_sign_ins,
  count(DISTINCT person) AS users,
  count(DISTINCT app_id) AS applications,
  max(created_date_time) AS last_failed_at
FROM attempts
WHERE day >= current_date - INTERVAL '30' DAY
  AND outcome IN ('failure', 'interrupt')
GROUP BY status.error_code, outcome, event_type
ORDER BY failed_sign_ins DESC, error_code, event_type
LIMIT 100
