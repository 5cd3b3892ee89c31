-- id:        service-principals-with-new-addresses
-- name:      Which service principals come from a new address?
-- summary:   Service principals that signed in within the last 7 days from an address that they
--           never used in the 90 days before
-- severity:  medium
-- technique: T1078.004
-- scans:     eight columns of 90 days of sign-ins of service principals
-- fields:   ipAddress, servicePrincipalId, autonomousSystemNumber
-- blind:    stolen secrets that are used from an address of the application, or from a network of one
--           that moves
-- key:      service_principal, ip_address
-- told:     The service principal {service_principal} came from the new address {ip_address}:
--           {succeeded} times in, {failed} times not, {first_at}
--
-- Answers which credentials of applications are used from an address of the last 7 days that
-- was never seen before, the application being known for at least a day. A stolen secret looks
-- like this. Of an application that had more than five addresses before, such as a build on rented
-- machines, only a new network counts.
SELECT
  service_principal,
  ip_address,
  first_from_address AS first_at,
  succeeded,
  failed,
  resources,
  known_addresses
FROM (
  SELECT
    service_principal_id,
    ip_address,
    max(service_principal_name) AS service_principal,
    count(*) FILTER (WHERE outcome = 'success') AS succeeded,
    count(*) FILTER (WHERE outcome = 'failure') AS failed,
    count(DISTINCT resource_id) AS resources,
    min(created_date_time) AS first_from_address,
    min(min(created_date_time)) OVER (PARTITION BY service_principal_id) AS first_ever,
    min(min(created_date_time)) OVER (
      PARTITION BY service_principal_id, coalesce(CAST(max(autonomous_system_number) AS VARCHAR), ip_address)
    ) AS first_in_network,
    sum(CASE WHEN min(created_date_time) < current_date - INTERVAL '7' DAY THEN 1 ELSE 0 END) OVER (
      PARTITION BY service_principal_id
    ) AS addresses_before,
    count(*) OVER (PARTITION BY service_principal_id) AS known_addresses
  FROM attempts
  WHERE day >= current_date - INTERVAL '90' DAY
    AND event_type = 'servicePrincipal'
  GROUP BY service_principal_id, ip_address
) AS addresses
WHERE first_from_address >= current_date - INTERVAL '7' DAY
  AND first_from_address >= first_ever + INTERVAL '1' DAY
  AND (addresses_before <= 5 OR first_in_network >= current_date - INTERVAL '7' DAY)
ORDER BY first_at DESC, service_principal, ip_address
LIMIT 100
