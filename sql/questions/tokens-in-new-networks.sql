-- id:       tokens-in-new-networks
-- name:     Whose tokens are used in a network and a country new to them?
-- summary:  Sign-ins without the user present, within 7 days, from a network and a country that the
--           user was never in, and with a client they never had
-- severity: medium
-- technique: T1528, T1550.001
-- scans:    nine columns of 90 days of sign-ins of users
-- fields:   autonomousSystemNumber, location.countryOrRegion, userAgent
-- blind:    thieves in a country of the user, or with the user agent of the user's own client
-- key:      user_name, network, country
-- told:     Tokens of {user_name} are used from {ip_address}, the network {network}[ ({country})][,
--           with {user_agent}], {first_at}
SELECT
  max(user_name) AS user_name,
  network,
  country,
  CAST(sum(sign_ins) AS BIGINT) AS sign_ins,
  max(ip_address) AS ip_address,
  max(user_agent) AS user_agent,
  max(application) AS application,
  min(first_at) AS first_at
FROM (
  SELECT
    *,
    min(first_at) OVER (PARTITION BY person) AS first_ever,
    min(first_at) OVER (PARTITION BY person, network) AS first_in_network,
    min(first_at) OVER (PARTITION BY person, country) AS first_in_country,
    min(first_at) OVER (PARTITION BY person, user_agent) AS first_with_client,
    min(CASE WHEN event_type = 'interactiveUser' THEN first_at END) OVER (PARTITION BY person, country) AS first_present
  FROM (
    SELECT
      person,
      event_type,
      autonomous_system_number AS network,
      location.country_or_region AS country,
      user_agent,
      max(user_principal_name) AS user_name,
      max(ip_address) AS ip_address,
      max(app_display_name) AS application,
      count(*) AS sign_ins,
      min(created_date_time) AS first_at
    FROM attempts
    WHERE day >= current_date - INTERVAL '90' DAY
      AND event_type IN ('interactiveUser', 'nonInteractiveUser')
      AND outcome = 'success'
      AND created_date_time IS NOT NULL
      AND autonomous_system_number IS NOT NULL
      AND location.country_or_region <> ''
      AND user_agent <> ''
    GROUP BY person, event_type, autonomous_system_number, location.country_or_region, user_agent
  ) AS clients
) AS uses
WHERE event_type = 'nonInteractiveUser'
  AND first_in_network >= current_date - INTERVAL '7' DAY
  AND first_in_country >= current_date - INTERVAL '7' DAY
  AND first_with_client >= current_date - INTERVAL '7' DAY
  AND first_in_network >= first_ever + INTERVAL '1' DAY
  AND first_present IS NULL
GROUP BY person, network, country
ORDER BY first_at DESC, user_name, network
LIMIT 100
