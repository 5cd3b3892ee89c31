-- id:       failed-sign-ins-by-country
-- name:     Which countries do failed sign-ins come from?
-- summary:  Failed sign-ins of the last 30 days by country, with the users they tried
-- severity: overview
-- scans:    six columns of 30 days of sign-ins of users
--
-- An interrupt, such as the request for a second factor, is no failure.
SELECT
  coalesce(nullif(location.country_or_region, ''), 'unknown') AS country,
  count(*) FILTER (WHERE outcome = 'failure') AS failed_sign_ins,
  count(DISTINCT CASE WHEN outcome = 'failure' THEN person END) AS users_failed,
  count(DISTINCT CASE WHEN outcome = 'success' THEN person END) AS users_signed_in,
  max(CASE WHEN outcome = 'failure' THEN created_date_time END) AS last_failed_at
FROM attempts
WHERE day >= current_date - INTERVAL '30' DAY
  AND event_type IN ('interactiveUser', 'nonInteractiveUser')
GROUP BY 1
HAVING count(*) FILTER (WHERE outcome = 'failure') > 0
ORDER BY failed_sign_ins DESC, country
LIMIT 100
