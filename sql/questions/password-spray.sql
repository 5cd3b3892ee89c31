-- id:        password-spray
-- name:      Which addresses try the passwords of many users?
-- summary:   Password spray: one address, ten or more users with a wrong password in one day,
--           more of them than get in
-- severity:  high
-- technique: T1110.003
-- scans:     seven columns of 30 days of sign-ins of users
--
-- Answers which single addresses failed with the passwords of ten or more users in a day, and
-- how many users they got into. An office behind one address also has users who mistype; there,
-- most of them get in. Codes: 50126 wrong password, 50034 no such user, 50053 locked or address
-- blocked, 50056 no password.
SELECT
  ip_address,
  day,
  count(CASE WHEN wrong > 0 THEN user_id END) AS users_tried,
  sum(wrong) AS wrong_passwords,
  count(CASE WHEN succeeded > 0 THEN user_id END) AS users_signed_in,
  max(signed_in_as) AS one_who_signed_in,
  max(country) AS country,
  min(first_at) AS first_at,
  max(last_at) AS last_at
FROM (
  SELECT
    ip_address,
    day,
    user_id,
    count(*) FILTER (WHERE status.error_code IN (50126, 50034, 50053, 50056)) AS wrong,
    count(*) FILTER (WHERE status.error_code = 0) AS succeeded,
    max(CASE WHEN status.error_code = 0 THEN user_principal_name END) AS signed_in_as,
    max(location.country_or_region) AS country,
    min(created_date_time) AS first_at,
    max(created_date_time) AS last_at
  FROM sign_ins_latest
  WHERE day >= current_date - INTERVAL '30' DAY
    AND event_type IN ('interactiveUser', 'nonInteractiveUser')
  GROUP BY ip_address, day, user_id
) AS users
GROUP BY ip_address, day
HAVING count(CASE WHEN wrong > 0 THEN user_id END) >= 10
  AND count(CASE WHEN wrong > 0 THEN user_id END) > count(CASE WHEN succeeded > 0 THEN user_id END)
ORDER BY users_tried DESC, day DESC, ip_address
LIMIT 100
