-- id:        failed-sign-ins-by-user
-- name:      Which users fail to sign in most often?
-- summary:   The users with the most failed sign-ins of the last 30 days, and what share of
--           their sign-ins fails
-- severity:  overview
-- scans:     seven columns of 30 days of sign-ins of users
--
-- Answers who fails most, from how many addresses and countries, and what share of all their
-- sign-ins that is.
SELECT
  max(user_principal_name) AS user_name,
  count(*) FILTER (WHERE status.error_code <> 0) AS failed_sign_ins,
  round(CAST(100 * count(*) FILTER (WHERE status.error_code <> 0) AS DOUBLE) / count(*), 1) AS failed_percent,
  count(DISTINCT ip_address) FILTER (WHERE status.error_code <> 0) AS addresses,
  count(DISTINCT location.country_or_region) FILTER (WHERE status.error_code <> 0) AS countries,
  max(CASE WHEN status.error_code <> 0 THEN created_date_time END) AS last_failed_at
FROM sign_ins_latest
WHERE day >= current_date - INTERVAL '30' DAY
  AND event_type IN ('interactiveUser', 'nonInteractiveUser')
GROUP BY user_id
HAVING count(*) FILTER (WHERE status.error_code <> 0) > 0
ORDER BY failed_sign_ins DESC, user_name
LIMIT 100
