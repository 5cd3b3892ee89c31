-- id:       guests
-- name:     Which guests sign in, and to what?
-- summary:  Guests and users of other tenants who signed in within the last 30 days
-- severity: overview
-- scans:    ten columns of 30 days of sign-ins of users
--
-- The tenant to which most of its own people sign in is yours. Your people in other tenants are no
-- guests.
SELECT
  user_principal_name AS guest,
  home_tenant_id AS from_tenant,
  count(*) FILTER (WHERE outcome = 'success') AS succeeded,
  count(*) FILTER (WHERE outcome = 'failure') AS failed,
  count(DISTINCT app_id) AS applications,
  max(app_display_name) AS one_application,
  max(created_date_time) AS last_at
FROM attempts
LEFT JOIN (
  SELECT lower(resource_tenant_id) AS own, count(*) AS uses
  FROM attempts
  WHERE day >= current_date - INTERVAL '30' DAY
    AND event_type IN ('interactiveUser', 'nonInteractiveUser')
    AND lower(home_tenant_id) = lower(resource_tenant_id)
    AND resource_tenant_id <> ''
  GROUP BY 1
  ORDER BY uses DESC, own
  LIMIT 1
) AS tenant ON lower(attempts.resource_tenant_id) = tenant.own
WHERE day >= current_date - INTERVAL '30' DAY
  AND event_type IN ('interactiveUser', 'nonInteractiveUser')
  AND (
    lower(user_type) = 'guest'
    OR lower(user_principal_name) LIKE '%#ext#%'
    OR (tenant.own IS NOT NULL AND home_tenant_id <> '' AND lower(home_tenant_id) <> tenant.own)
  )
GROUP BY user_principal_name, home_tenant_id
ORDER BY succeeded DESC, failed DESC, guest, from_tenant
LIMIT 200
