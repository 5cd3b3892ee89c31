-- id:       stolen-sessions
-- name:     Which sessions are used in two places at once?
-- summary:  One session that moves to another network within an hour, and to another country or
--           another operating system with it
-- severity: high
-- technique: T1550.004, T1539
-- scans:    ten columns of 30 days of sign-ins of users
-- fields:   sessionId, autonomousSystemNumber, location, deviceDetail.operatingSystem
-- blind:    thieves in the same country with the same system, and of the tokens of a registered phone;
--           without beta the session is unknown, and nothing is found
-- key:      user_name, session_id
-- told:     A session of {user_name} moved from {from_address}[ ({from_country})] to {to_address}[
--           ({to_country})], {first_at}
--
-- A phone that leaves the house changes its network, not its country or its system; a registered one
-- that roams has the country of its carrier, too, and is left out where the device stays the same. An
-- address of five or more users is a gateway and is left out.
SELECT
  max(user_name) AS user_name,
  session_id,
  count(*) AS moves,
  max(address_before) AS from_address,
  max(country_before) AS from_country,
  max(ip_address) AS to_address,
  max(country) AS to_country,
  max(system_before) AS from_system,
  max(operating_system) AS to_system,
  min(created_date_time) AS first_at,
  max(created_date_time) AS last_at
FROM (
  SELECT
    *,
    lag(created_date_time) OVER (PARTITION BY person, session_id ORDER BY created_date_time, id) AS used_before_at,
    lag(ip_address) OVER (PARTITION BY person, session_id ORDER BY created_date_time, id) AS address_before,
    lag(network) OVER (PARTITION BY person, session_id ORDER BY created_date_time, id) AS network_before,
    lag(country) OVER (PARTITION BY person, session_id ORDER BY created_date_time, id) AS country_before,
    lag(operating_system) OVER (PARTITION BY person, session_id ORDER BY created_date_time, id) AS system_before,
    lag(device) OVER (PARTITION BY person, session_id ORDER BY created_date_time, id) AS device_before
  FROM (
    SELECT seen.*
    FROM (
      SELECT
        id,
        person,
        session_id,
        address,
        user_principal_name AS user_name,
        created_date_time,
        ip_address,
        autonomous_system_number AS network,
        location.country_or_region AS country,
        coalesce(device_detail.device_id, '') AS device,
        CASE
          WHEN lower(device_detail.operating_system) LIKE 'win%' THEN 'Windows'
          WHEN lower(device_detail.operating_system) LIKE 'mac%' THEN 'macOS'
          WHEN lower(device_detail.operating_system) LIKE 'ios%' THEN 'iOS'
          WHEN lower(device_detail.operating_system) LIKE 'ipados%' THEN 'iOS'
          WHEN lower(device_detail.operating_system) LIKE 'android%' THEN 'Android'
          ELSE coalesce(device_detail.operating_system, '')
        END AS operating_system
      FROM attempts
      WHERE day >= current_date - INTERVAL '30' DAY
        AND event_type IN ('interactiveUser', 'nonInteractiveUser')
        AND outcome = 'success'
        AND session_id <> ''
    ) AS seen
    LEFT JOIN gateways ON gateways.address = seen.address
    WHERE gateways.address IS NULL
  ) AS sessions
) AS moves
WHERE network <> network_before
  AND created_date_time <= used_before_at + INTERVAL '1' HOUR
  AND (
    country <> country_before
    OR (operating_system <> system_before AND operating_system <> '' AND system_before <> '')
  )
  AND NOT (
    device <> '' AND device = device_before
    AND operating_system = system_before AND operating_system IN ('iOS', 'Android')
  )
GROUP BY person, session_id
ORDER BY last_at DESC, user_name, session_id
LIMIT 100
