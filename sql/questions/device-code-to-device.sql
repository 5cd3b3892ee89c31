-- id:       device-code-to-device
-- name:     Whose device code became a device of somebody else?
-- summary:  A device code or a broker sign-in, a device registered within the hour after it, and a
--           primary refresh token used on it within a day
-- severity: high
-- technique: T1098.005, T1528
-- scans:    nine columns of 30 days of sign-ins of users, the targets and ten columns of 30 days of
--           directory audits
-- fields:   authenticationProtocol, originalTransferMethod, incomingTokenType; the audit Register
--           device
-- blind:    devices that are registered more than an hour after the code
-- key:      user_name, device_at
-- told:     {user_name} took a device code[ from {code_from}], {code_at}; then the device {device}
--           was registered, {device_at}, and used[ from {token_from}], {token_at}
SELECT
  max(codes.user_principal_name) AS user_name,
  min(codes.created_date_time) AS code_at,
  min(devices.happened_at) AS device_at,
  max(devices.device) AS device,
  min(tokens.created_date_time) AS token_at,
  max(codes.ip_address) AS code_from,
  max(tokens.ip_address) AS token_from
FROM attempts AS codes
JOIN audits AS devices
  ON devices.actor_id = codes.person
  AND devices.happened_at >= codes.created_date_time
  AND devices.happened_at <= codes.created_date_time + INTERVAL '1' HOUR
JOIN attempts AS tokens
  ON tokens.person = codes.person
  AND tokens.created_date_time >= devices.happened_at
  AND tokens.created_date_time <= devices.happened_at + INTERVAL '24' HOUR
WHERE codes.day >= current_date - INTERVAL '30' DAY
  AND codes.event_type IN ('interactiveUser', 'nonInteractiveUser')
  AND codes.outcome = 'success'
  AND (
    lower(coalesce(codes.authentication_protocol, '')) LIKE '%devicecode%'
    OR lower(coalesce(codes.original_transfer_method, '')) LIKE '%devicecode%'
  )
  AND devices.day >= current_date - INTERVAL '30' DAY
  AND devices.act IN ('register device', 'add device', 'add registered owner to device')
  AND devices.took_effect = 'yes'
  AND tokens.day >= current_date - INTERVAL '30' DAY
  AND tokens.event_type IN ('interactiveUser', 'nonInteractiveUser')
  AND tokens.outcome = 'success'
  AND lower(coalesce(tokens.incoming_token_type, '')) LIKE '%primaryrefreshtoken%'
GROUP BY codes.person
ORDER BY token_at DESC, user_name
LIMIT 100
