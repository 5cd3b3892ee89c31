-- id:       broker-to-device-registration
-- name:     Who asked for a device registration with a loose token?
-- summary:  The authentication broker asked for the device registration service without a user
--           present, with a refresh token that no device holds
-- severity: medium
-- technique: T1098.005
-- scans:    nine columns of 30 days of sign-ins of users
-- fields:   appId, resourceId, incomingTokenType, signInTokenProtectionStatus
-- blind:    registrations that are made interactively; without beta the kind of token is unknown,
--           and nothing is found
-- key:      user_name, ip_address
-- told:     The broker of {user_name} asked for the device registration service with a loose token[
--           from {ip_address}][ ({country})], {first_at} to {last_at}
--
-- A stolen refresh token becomes lasting when it registers a device: the way from a phished code to
-- a primary refresh token.
SELECT
  max(user_principal_name) AS user_name,
  count(*) AS sign_ins,
  max(ip_address) AS ip_address,
  max(location.country_or_region) AS country,
  max(user_agent) AS user_agent,
  min(created_date_time) AS first_at,
  max(created_date_time) AS last_at
FROM attempts
WHERE day >= current_date - INTERVAL '30' DAY
  AND event_type = 'nonInteractiveUser'
  AND outcome = 'success'
  AND app_id = '29d9ed98-a469-4536-ade2-f981bc1d605e'
  AND resource_id = '01cb2876-7ebd-4aa4-9cc9-d28bd4d359a9'
  AND lower(coalesce(incoming_token_type, '')) LIKE '%refreshtoken%'
  AND lower(coalesce(incoming_token_type, '')) NOT LIKE '%primaryrefreshtoken%'
  AND lower(coalesce(sign_in_token_protection_status, '')) <> 'bound'
GROUP BY person
ORDER BY last_at DESC, user_name
LIMIT 100
