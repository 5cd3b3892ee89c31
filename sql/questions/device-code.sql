-- id:       device-code
-- name:     Who signed in with a device code for the first time?
-- summary:  Successful sign-ins of the last 7 days by the device code flow of users who did not use
--           it in the 90 days before, or through the authentication broker
-- severity: medium
-- technique: T1528, T1566.002
-- scans:    eight columns of 90 days of sign-ins of users
-- fields:   authenticationProtocol, originalTransferMethod, appId
-- blind:    victims who use device codes anyway; without beta the protocol is unknown, and nothing
--           is found
-- key:      user_name, application, ip_address
-- told:     {user_name} signed in [to {application} ]with a device code for the first time[ from
--           {ip_address}][ ({country})], {first_at}
--
-- A code that somebody else asked for, typed in by the user, gives that somebody the session. The
-- broker (29d9ed98…) has no use for device codes but registering devices.
SELECT
  max(user_name) AS user_name,
  application,
  min(created_date_time) AS first_at,
  count(*) AS sign_ins,
  max(ip_address) AS ip_address,
  max(country) AS country,
  max(by_broker) AS by_broker
FROM (
  SELECT
    person,
    user_principal_name AS user_name,
    app_display_name AS application,
    created_date_time,
    ip_address,
    location.country_or_region AS country,
    CASE WHEN app_id = '29d9ed98-a469-4536-ade2-f981bc1d605e' THEN 'yes' ELSE 'no' END AS by_broker,
    min(created_date_time) OVER (PARTITION BY person) AS first_ever
  FROM attempts
  WHERE day >= current_date - INTERVAL '90' DAY
    AND event_type IN ('interactiveUser', 'nonInteractiveUser')
    AND outcome = 'success'
    AND lower(coalesce(authentication_protocol, '')) LIKE '%devicecode%'
) AS uses
WHERE created_date_time >= current_date - INTERVAL '7' DAY
  AND (first_ever >= current_date - INTERVAL '7' DAY OR by_broker = 'yes')
GROUP BY person, application
ORDER BY first_at DESC, user_name, application
LIMIT 100
