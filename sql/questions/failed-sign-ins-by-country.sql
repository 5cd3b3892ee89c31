-- id:        failed-sign-ins-by-country
-- name:      Which countries do failed sign-ins come from?
-- summary:   Failed sign-ins of the last 30 days by country, with the users they tried
-- severity:  overview
-- scans:     five columns of 30 days of sign-ins of users
--
-- Answers from which countries people fail to sign in, how many users that concerns, and who
-- also gets in from there.
SELECT
  coalesce(nullif(location.country_or_region, ''), 'unknown') AS country,
  count(*) FILTER (WHERE status.error_code <> 0) AS failed_sign_ins,
  count(DISTINCT CASE WHEN status.error_code <> 0 THEN user_id END) AS users_failed,
  count(DISTINCT CASE WHEN status.error_code = 0 THEN user_id END) AS users_signed_in,
  max(CASE WHEN status.error_code <> 0 THEN created_date_time END) AS last_failed_at
FROM sign_ins_latest
WHERE day >= current_date - INTERVAL '30' DAY
  AND event_type IN ('interactiveUser', 'nonInteractiveUser')
GROUP BY 1
HAVING count(*) FILTER (WHERE status.error_code <> 0) > 0
ORDER BY failed_sign_ins DESC, country
LIMIT 100
