-- id:       failed-sign-ins-by-user
-- name:     Which users fail to sign in most often?
-- summary:  The users with the most failed sign-ins of the last 30 days, and what share of their
--           sign-ins fails
-- severity: overview
-- scans:    eight columns of 30 days of sign-ins of users
--
-- An interrupt, such as the request for a second factor, is neither a failure nor a success.
SELECT
  max(user_principal_name) AS user_name,
  count(*) FILTER (WHERE outcome = 'failure') AS failed_sign_ins,
  round(
    CAST(100 * count(*) FILTER (WHERE outcome = 'failure') AS DOUBLE)
    / count(*) FILTER (WHERE outcome IN ('failure', 'success')), 1
  ) AS failed_percent,
  count(DISTINCT ip_address) FILTER (WHERE outcome = 'failure') AS addresses,
  count(DISTINCT location.country_or_region) FILTER (WHERE outcome = 'failure') AS countries,
  max(CASE WHEN outcome = 'failure' THEN created_date_time END) AS last_failed_at
FROM attempts
WHERE day >= current_date - INTERVAL '30' DAY
  AND event_type IN ('interactiveUser', 'nonInteractiveUser')
GROUP BY person
HAVING count(*) FILTER (WHERE outcome = 'failure') > 0
ORDER BY failed_sign_ins DESC, user_name
LIMIT 100
