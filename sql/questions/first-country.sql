-- id:        first-country
-- name:      Who signed in from a country for the first time?
-- summary:   Successful sign-ins of the last 7 days from a country that the user never came
--           from in the 90 days before
-- severity:  low
-- technique: T1078.004
-- scans:     six columns of 90 days of interactive sign-ins
-- fields:   location.countryOrRegion
-- blind:    a second country of somebody who travels; countries of a VPN
--
-- Answers who came in from a country that they had not come from within 90 days, being known
-- for at least a day before. A country of which somebody has but the address of five or more users, such
-- as the way out of a VPN, is none.
SELECT
  user_name,
  country,
  first_from_country AS first_at,
  sign_ins,
  ip_address
FROM (
  SELECT
    person,
    max(user_principal_name) AS user_name,
    location.country_or_region AS country,
    count(*) AS sign_ins,
    max(ip_address) AS ip_address,
    max(day) AS last_day,
    min(created_date_time) AS first_from_country,
    min(min(created_date_time)) OVER (PARTITION BY person) AS first_ever,
    max(CASE WHEN gateways.address IS NULL THEN 1 ELSE 0 END) AS from_elsewhere
  FROM attempts
  LEFT JOIN gateways ON gateways.address = attempts.address
  WHERE day >= current_date - INTERVAL '90' DAY
    AND event_type = 'interactiveUser'
    AND outcome = 'success'
    AND location.country_or_region <> ''
  GROUP BY person, location.country_or_region
) AS countries
WHERE first_from_country >= current_date - INTERVAL '7' DAY
  AND first_from_country >= first_ever + INTERVAL '1' DAY
  AND from_elsewhere = 1
ORDER BY first_at DESC, user_name, country
LIMIT 100
