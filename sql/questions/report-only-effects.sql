-- id:        report-only-effects
-- name:      What would report-only policies do?
-- summary:   Sign-ins of the last 7 days that a report-only policy would have refused or
--           interrupted, by policy
-- severity:  overview
-- scans:     the applied policies and six other columns of 7 days of sign-ins of users
--
-- Answers whom each policy in report-only mode would stop, or ask for more, if it were turned
-- on today.
SELECT
  policy_name,
  count(DISTINCT CASE WHEN policy_result = 'reportOnlyFailure' THEN id END) AS would_be_refused,
  count(DISTINCT CASE WHEN policy_result = 'reportOnlyInterrupted' THEN id END) AS would_be_interrupted,
  count(DISTINCT user_id) AS users,
  count(DISTINCT app_id) AS applications,
  max(created_date_time) AS last_at
FROM applied_policies
WHERE day >= current_date - INTERVAL '7' DAY
  AND event_type IN ('interactiveUser', 'nonInteractiveUser')
  AND policy_result IN ('reportOnlyFailure', 'reportOnlyInterrupted')
GROUP BY policy_name
ORDER BY would_be_refused DESC, would_be_interrupted DESC, policy_name
LIMIT 100
