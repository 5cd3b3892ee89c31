-- id:        impossible-travel
-- name:      Who signed in from two places too far apart?
-- summary:   Impossible travel: two successive sign-ins of a user more than 500 km apart,
--           faster than an airliner flies
-- severity:  high
-- technique: T1078.004
-- scans:     seven columns of 30 days of interactive sign-ins
--
-- Answers who would have had to travel faster than 900 km/h between one successful sign-in and
-- the next, 500 km or more away. The distance is that of the great circle between the
-- coordinates that Entra gives for the addresses; a VPN looks like travel.
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
      user_principal_name AS user_name,
      ip_address,
      created_date_time AS arrived_at,
      location.city || ', ' || location.country_or_region AS arrived_in,
      location.geo_coordinates.latitude AS latitude,
      location.geo_coordinates.longitude AS longitude,
      lag(created_date_time) OVER (PARTITION BY user_id ORDER BY created_date_time, id) AS left_at,
      lag(location.city || ', ' || location.country_or_region) OVER (PARTITION BY user_id ORDER BY created_date_time, id) AS left_from,
      lag(location.geo_coordinates.latitude) OVER (PARTITION BY user_id ORDER BY created_date_time, id) AS latitude_before,
      lag(location.geo_coordinates.longitude) OVER (PARTITION BY user_id ORDER BY created_date_time, id) AS longitude_before
    FROM sign_ins_latest
    WHERE day >= current_date - INTERVAL '30' DAY
      AND event_type = 'interactiveUser'
      AND status.error_code = 0
      AND location.geo_coordinates.latitude IS NOT NULL
      AND location.geo_coordinates.longitude IS NOT NULL
  ) AS journeys
  WHERE left_at IS NOT NULL
) AS distances
WHERE kilometres >= 500
  AND kilometres / greatest(hours, 0.01) > 900
ORDER BY kilometres_per_hour DESC, arrived_at DESC, id
LIMIT 100
