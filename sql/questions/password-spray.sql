-- id:       password-spray
-- name:     Which addresses try the passwords of many users?
-- summary:  Password spray: one address, ten or more users with a wrong password in one day, more
--           of them than get in
-- severity: high
-- technique: T1110.003
-- scans:    eight columns of 30 days of sign-ins of users
-- fields:   ipAddress, userId, userPrincipalName, status.errorCode
-- blind:    sprays from an address for each user, and fewer than ten users of an address in a day
-- key:      ip_address, day, one_who_signed_in
-- told:     {ip_address}[ ({country})] tried the passwords of {users_tried} users and got into
--           {users_signed_in}[, such as {one_who_signed_in}], {first_at} to {last_at}
--
-- Answers which single addresses (of IPv6: networks) failed with the passwords of ten or more users
-- in a day, and how many they got into. Names that do not exist count by their name. An office
-- behind one address also has users who mistype; there, most of them get in. Codes: 50126 wrong
-- password, 50034 no such user, 50053 locked or address blocked, 50056 no password.
SELECT
  address AS ip_address,
  day,
  count(CASE WHEN wrong > 0 THEN person END) AS users_tried,
  sum(wrong) AS wrong_passwords,
  count(CASE WHEN succeeded > 0 THEN person END) AS users_signed_in,
  max(signed_in_as) AS one_who_signed_in,
  max(country) AS country,
  min(first_at) AS first_at,
  max(last_at) AS last_at
FROM (
  SELECT
    address,
    day,
    person,
    count(*) FILTER (WHERE status.error_code IN (50126, 50034, 50053, 50056)) AS wrong,
    count(*) FILTER (WHERE outcome = 'success') AS succeeded,
    max(CASE WHEN outcome = 'success' THEN user_principal_name END) AS signed_in_as,
    max(location.country_or_region) AS country,
    min(created_date_time) AS first_at,
    max(created_date_time) AS last_at
  FROM attempts
  WHERE day >= current_date - INTERVAL '30' DAY
    AND event_type IN ('interactiveUser', 'nonInteractiveUser')
    AND address <> ''
    AND person <> ''
  GROUP BY address, day, person
) AS users
GROUP BY address, day
HAVING count(CASE WHEN wrong > 0 THEN person END) >= 10
  AND count(CASE WHEN wrong > 0 THEN person END) > count(CASE WHEN succeeded > 0 THEN person END)
ORDER BY users_tried DESC, day DESC, ip_address
LIMIT 100
