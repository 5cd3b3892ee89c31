-- id:       one-time-codes-guessed
-- name:     Whose one-time codes were guessed?
-- summary:  Ten or more wrong one-time codes of one user within an hour, and whether a sign-in
--           followed
-- severity: high
-- technique: T1110.001, T1111
-- scans:    eight columns of 30 days of sign-ins of users
-- fields:   status.errorCode, mfaDetail.authMethod, authenticationDetails
-- blind:    fewer than ten guesses an hour; without beta the method is unknown, and nothing is
--           found
-- key:      user_name, day, got_in
-- told:     {user_name}: {wrong_codes_within_an_hour} wrong one-time codes within an hour[ from
--           {ip_address}]; a sign-in followed: {got_in}, {first_at} to {last_at}
--
-- Whoever guesses codes has the password already.
SELECT
  max(user_principal_name) AS user_name,
  day,
  max(wrong_codes) AS wrong_codes_within_an_hour,
  max(CASE WHEN outcome = 'success' AND wrong_codes >= 10 THEN 'yes' ELSE 'no' END) AS got_in,
  max(ip_address) AS ip_address,
  min(created_date_time) AS first_at,
  max(created_date_time) AS last_at
FROM (
  SELECT
    *,
    sum(CASE
      WHEN status.error_code = 500121 AND (lower(second_factor) LIKE '%code%' OR lower(second_factor) LIKE '%oath%') THEN 1 ELSE 0
    END) OVER (
      PARTITION BY person ORDER BY created_date_time RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW
    ) AS wrong_codes
  FROM attempts
  WHERE day >= current_date - INTERVAL '30' DAY
    AND event_type IN ('interactiveUser', 'nonInteractiveUser')
    AND status.error_code IN (0, 500121)
    AND person IN (
      SELECT person
      FROM attempts
      WHERE day >= current_date - INTERVAL '30' DAY
        AND event_type IN ('interactiveUser', 'nonInteractiveUser')
        AND status.error_code = 500121
      GROUP BY person
      HAVING count(*) >= 10
    )
) AS counted
WHERE wrong_codes > 0
GROUP BY person, day
HAVING max(wrong_codes) >= 10
ORDER BY wrong_codes_within_an_hour DESC, day DESC, user_name
LIMIT 100
