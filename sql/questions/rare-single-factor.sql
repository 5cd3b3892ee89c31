-- id:       rare-single-factor
-- name:     Who came in with one factor, otherwise than always?
-- summary:  Users who always pass two factors and within the last 7 days passed one, to an
--           application and from a network that were new to them
-- severity: medium
-- technique: T1078.004
-- scans:    nine columns of 90 days of interactive sign-ins
-- fields:   authenticationRequirement, appId, autonomousSystemNumber
-- blind:    users who often need just one factor; whoever sits behind an address of five or more users
-- key:      user_name, application, ip_address
-- told:     {user_name} came into {application} with one factor[ from {ip_address}][ ({country})],
--           otherwise than always, {first_at}
--
-- An address of five or more users is a gateway and is left out, as is a trusted network: policies often
-- ask for less there.
SELECT
  max(uses.user_name) AS user_name,
  uses.application,
  min(uses.first_at) AS first_at,
  CAST(sum(uses.sign_ins) AS BIGINT) AS sign_ins,
  max(uses.ip_address) AS ip_address,
  max(uses.country) AS country
FROM (
  SELECT
    *,
    sum(CASE WHEN factors = 'multiFactorAuthentication' THEN sign_ins ELSE 0 END) OVER (PARTITION BY person) AS with_two,
    sum(CASE WHEN factors = 'singleFactorAuthentication' THEN sign_ins ELSE 0 END) OVER (PARTITION BY person) AS with_one,
    min(first_at) OVER (PARTITION BY person, app_id) AS first_with_application,
    min(first_at) OVER (PARTITION BY person, network) AS first_in_network,
    min(first_at) OVER (PARTITION BY person) AS first_ever
  FROM (
    SELECT
      person,
      app_id,
      app_display_name AS application,
      coalesce(CAST(autonomous_system_number AS VARCHAR), address) AS network,
      address,
      authentication_requirement AS factors,
      max(user_principal_name) AS user_name,
      max(ip_address) AS ip_address,
      max(location.country_or_region) AS country,
      count(*) AS sign_ins,
      min(created_date_time) AS first_at
    FROM attempts
    WHERE day >= current_date - INTERVAL '90' DAY
      AND event_type = 'interactiveUser'
      AND outcome = 'success'
      AND created_date_time IS NOT NULL
    GROUP BY
      person, app_id, app_display_name, coalesce(CAST(autonomous_system_number AS VARCHAR), address), address,
      authentication_requirement
  ) AS places
) AS uses
LEFT JOIN settings ON settings.kind = 'trusted-network' AND uses.address LIKE settings.value || '%'
LEFT JOIN gateways ON gateways.address = uses.address
WHERE uses.factors = 'singleFactorAuthentication'
  AND uses.with_two >= 5
  AND uses.with_one * 5 <= uses.with_two
  AND uses.first_with_application >= current_date - INTERVAL '7' DAY
  AND uses.first_in_network >= current_date - INTERVAL '7' DAY
  AND uses.first_in_network >= uses.first_ever + INTERVAL '1' DAY
  AND gateways.address IS NULL
  AND settings.value IS NULL
GROUP BY uses.person, uses.application
ORDER BY first_at DESC, user_name, application
LIMIT 100
