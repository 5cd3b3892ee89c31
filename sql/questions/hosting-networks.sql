-- id:       hosting-networks
-- name:     Who signs in from a hosting company, a public VPN or Tor?
-- summary:  Successful sign-ins of users within 30 days from networks of servers, or from an
--           address that Entra calls anonymous or malicious
-- severity: medium
-- technique: T1090.003
-- scans:    nine columns of 30 days of sign-ins of users
-- fields:   autonomousSystemNumber, riskEventTypes_v2
-- blind:    networks that are not in the list; homes whose owners rent out their line
-- key:      user_name, network
-- told:     {user_name} signed in from {ip_address}[ ({country})], the network {network}[
--           ({detections})][, to {application}], {first_at} to {last_at}
--
-- An address of five or more users is your own gateway, and left out; so is a trusted network.
SELECT
  max(seen.user_principal_name) AS user_name,
  seen.autonomous_system_number AS network,
  count(*) AS sign_ins,
  max(array_join(seen.risk_event_types_v2, ', ')) AS detections,
  max(seen.ip_address) AS ip_address,
  max(seen.location.country_or_region) AS country,
  max(seen.app_display_name) AS application,
  min(seen.created_date_time) AS first_at,
  max(seen.created_date_time) AS last_at
FROM attempts AS seen
LEFT JOIN settings ON settings.kind = 'trusted-network' AND seen.address LIKE settings.value || '%'
LEFT JOIN gateways ON gateways.address = seen.address
WHERE seen.day >= current_date - INTERVAL '30' DAY
  AND seen.event_type IN ('interactiveUser', 'nonInteractiveUser')
  AND seen.outcome = 'success'
  AND gateways.address IS NULL
  AND settings.value IS NULL
  AND (
    seen.autonomous_system_number IN (
      9009, 12876, 14061, 16276, 20473, 24940, 36352, 39351, 40676, 51167, 53667, 60068, 62240, 63949, 132203, 136787, 147049, 197540, 212238
    )
    OR lower(array_join(seen.risk_event_types_v2, ',')) LIKE '%anonymizedipaddress%'
    OR lower(array_join(seen.risk_event_types_v2, ',')) LIKE '%maliciousipaddress%'
    OR lower(array_join(seen.risk_event_types_v2, ',')) LIKE '%nationstateip%'
  )
GROUP BY seen.person, seen.autonomous_system_number
ORDER BY last_at DESC, user_name, network
LIMIT 200
