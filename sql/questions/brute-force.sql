-- id:       brute-force
-- name:     Whose password was guessed?
-- summary:  Brute force: eight or more wrong passwords of one user within an hour, then a sign-in
--           that succeeds
-- severity: high
-- technique: T1110.001
-- scans:    nine columns of 30 days of sign-ins of users
-- fields:   userId, status.errorCode
-- blind:    guesses that are more than an hour apart, or from an address of the user's own; a guess
--           that a second factor stops
-- key:      user_name, signed_in_at
-- told:     {user_name} signed in [to {application} ]from {ip_address}[ ({country})] after
--           {wrong_passwords_in_the_hour_before} wrong passwords within an hour, {signed_in_at}
--
-- Answers who signed in right after eight or more wrong passwords within the hour before, and from
-- where. Who forgot the password tries from an address where they got in a day before: neither such
-- tries nor such a success count.
SELECT
  user_principal_name AS user_name,
  created_date_time AS signed_in_at,
  wrong_passwords AS wrong_passwords_in_the_hour_before,
  ip_address,
  location.country_or_region AS country,
  app_display_name AS application
FROM (
  SELECT
    *,
    sum(CASE WHEN outcome <> 'success' THEN 1 ELSE 0 END) OVER (
      PARTITION BY person
      ORDER BY created_date_time
      RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW
    ) AS wrong_passwords
  FROM (
    SELECT
      *,
      CASE
        WHEN min(CASE WHEN outcome = 'success' THEN created_date_time END) OVER (PARTITION BY person, address)
          <= created_date_time - INTERVAL '1' DAY
        THEN 'yes' ELSE 'no'
      END AS from_own_address
    FROM attempts
    WHERE day >= current_date - INTERVAL '30' DAY
      AND event_type IN ('interactiveUser', 'nonInteractiveUser')
      AND status.error_code IN (0, 50126, 50053)
      AND person IN (
        SELECT person
        FROM attempts
        WHERE day >= current_date - INTERVAL '30' DAY
          AND event_type IN ('interactiveUser', 'nonInteractiveUser')
          AND status.error_code IN (50126, 50053)
        GROUP BY person
        HAVING count(*) >= 8
      )
  ) AS tries
  WHERE from_own_address = 'no'
) AS counted
WHERE outcome = 'success'
  AND wrong_passwords >= 8
ORDER BY wrong_passwords DESC, signed_in_at DESC, id
LIMIT 100
