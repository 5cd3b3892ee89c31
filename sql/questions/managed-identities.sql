-- id:        managed-identities
-- name:      Which managed identities do something new?
-- summary:   Managed identities that failed, or reached a resource for the first time, within
--           the last 7 days
-- severity:  low
-- technique: T1078.004
-- scans:     seven columns of 90 days of sign-ins of managed identities
-- fields:   servicePrincipalId, resourceDisplayName
-- blind:    identities that are a day old
--
-- Answers which managed identities of Azure resources reached something in the last 7 days that
-- they had not reached in the 90 days before, being known for at least a day, or failed to.
SELECT
  managed_identity,
  resource,
  first_at_resource AS first_at,
  succeeded,
  failed,
  last_at
FROM (
  SELECT
    service_principal_id,
    max(service_principal_name) AS managed_identity,
    resource_display_name AS resource,
    count(*) FILTER (WHERE outcome = 'success') AS succeeded,
    count(*) FILTER (WHERE outcome = 'failure' AND day >= current_date - INTERVAL '7' DAY) AS failed,
    min(created_date_time) AS first_at_resource,
    max(created_date_time) AS last_at,
    min(min(created_date_time)) OVER (PARTITION BY service_principal_id) AS first_ever
  FROM attempts
  WHERE day >= current_date - INTERVAL '90' DAY
    AND event_type = 'managedIdentity'
  GROUP BY service_principal_id, resource_display_name
) AS resources
WHERE failed > 0
  OR (
    first_at_resource >= current_date - INTERVAL '7' DAY
    AND first_at_resource >= first_ever + INTERVAL '1' DAY
  )
ORDER BY first_at DESC, managed_identity, resource
LIMIT 100
