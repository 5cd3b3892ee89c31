-- id:       impossible-travel
-- name:     Who signed in from two places too far apart?
-- summary:  Impossible travel: two successive sign-ins of a user more than 500 km apart, faster
--           than an airliner flies
-- severity: high
-- technique: T1078.004
-- scans:    nine columns of 30 days of sign-ins of users
-- fields:   location.geoCoordinates, ipAddress, deviceDetail
-- blind:    intruders within 500 km, behind an address that five or more of your users have, or with
--           a device that is registered: on a phone, or in the country of the user
-- key:      user_name, left_at, arrived_at
-- told:     {user_name} was in {left_from}, {left_at}, and {minutes} minutes later in {arrived_in},
--           {kilometres} km away[, at {arrived_with}], {arrived_at}
--
-- Answers who would have had to travel faster than 900 km/h between one successful sign-in and the
-- next, 500 km or more away and from another address. An address of five or more users is a gateway
-- (an office, a VPN) and nobody's place; so is a trusted network. An address of a carrier lies where the
-- carrier is: in another town, or at home while the phone is abroad. So registered phones are left out,
-- and journeys of registered devices within a country.
SELECT
  user_name,
  left_at,
  left_from,
  arrived_at,
  arrived_in,
  round(kilometres, 0) AS kilometres,
  round(hours * 60, 0) AS minutes,
  round(kilometres / greatest(hours, 0.01), 0) AS kilometres_per_hour,
  ip_address AS arrived_with
FROM (
  SELECT
    *,
    12742 * asin(sqrt(least(CAST(1 AS DOUBLE),
      power(sin(radians(latitude - latitude_before) / 2), 2)
      + cos(radians(latitude)) * cos(radians(latitude_before))
      * power(sin(radians(longitude - longitude_before) / 2), 2)
    ))) AS kilometres,
    CAST(floor(to_unixtime(arrived_at)) - floor(to_unixtime(left_at)) AS DOUBLE) / 3600 AS hours
  FROM (
    SELECT
      id,
      user_name,
      ip_address,
      address,
      arrived_at,
      arrived_in,
      latitude,
      longitude,
      country,
      device,
      lag(address) OVER (PARTITION BY person ORDER BY arrived_at, id) AS address_before,
      lag(country) OVER (PARTITION BY person ORDER BY arrived_at, id) AS country_before,
      lag(device) OVER (PARTITION BY person ORDER BY arrived_at, id) AS device_before,
      lag(arrived_at) OVER (PARTITION BY person ORDER BY arrived_at, id) AS left_at,
      lag(arrived_in) OVER (PARTITION BY person ORDER BY arrived_at, id) AS left_from,
      lag(latitude) OVER (PARTITION BY person ORDER BY arrived_at, id) AS latitude_before,
      lag(longitude) OVER (PARTITION BY person ORDER BY arrived_at, id) AS longitude_before
    FROM (
      SELECT
        seen.id AS id,
        seen.person AS person,
        seen.user_principal_name AS user_name,
        seen.ip_address AS ip_address,
        seen.address AS address,
        seen.created_date_time AS arrived_at,
        seen.location.city || ', ' || seen.location.country_or_region AS arrived_in,
        coalesce(seen.location.country_or_region, '') AS country,
        coalesce(seen.device_detail.device_id, '') AS device,
        seen.location.geo_coordinates.latitude AS latitude,
        seen.location.geo_coordinates.longitude AS longitude
      FROM attempts AS seen
      LEFT JOIN settings ON settings.kind = 'trusted-network' AND seen.address LIKE settings.value || '%'
      LEFT JOIN gateways ON gateways.address = seen.address
      WHERE seen.day >= current_date - INTERVAL '30' DAY
        AND seen.event_type IN ('interactiveUser', 'nonInteractiveUser')
        AND seen.outcome = 'success'
        AND seen.location.geo_coordinates.latitude IS NOT NULL
        AND seen.location.geo_coordinates.longitude IS NOT NULL
        AND gateways.address IS NULL
        AND settings.value IS NULL
        AND NOT (
          coalesce(seen.device_detail.device_id, '') <> ''
          AND (
            lower(coalesce(seen.device_detail.operating_system, '')) LIKE 'ios%'
            OR lower(coalesce(seen.device_detail.operating_system, '')) LIKE 'android%'
          )
        )
    ) AS places
  ) AS journeys
  WHERE left_at IS NOT NULL
    AND address <> address_before
    AND NOT (device <> '' AND device_before <> '' AND country = country_before)
) AS distances
WHERE kilometres >= 500
  AND kilometres / greatest(hours, 0.01) > 900
ORDER BY kilometres_per_hour DESC, arrived_at DESC, id
LIMIT 100
