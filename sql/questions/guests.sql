-- id:        guests
-- name:      Which guests sign in, and to what?
-- summary:   Guests and users of other tenants who signed in within the last 30 days
-- severity:  overview
-- technique: T1199
-- scans:     nine columns of 30 days of sign-ins of users
--
-- Answers who from outside signs in, from which tenant, to which applications, and how often
-- that fails.
SELECT
  user_principal_name AS guest,
  home_tenant_id AS from_tenant,
  count(*) FILTER (WHERE status.error_code = 0) AS succeeded,
  count(*) FILTER (WHERE status.error_code <> 0) AS failed,
  count(DISTINCT app_id) AS applications,
  max(app_display_name) AS one_application,
  max(created_date_time) AS last_at
FROM sign_ins_latest
WHERE day >= current_date - INTERVAL '30' DAY
  AND event_type IN ('interactiveUser', 'nonInteractiveUser')
  AND (
    user_type = 'guest'
    OR user_principal_name LIKE '%#EXT#%'
    OR home_tenant_id <> resource_tenant_id
  )
GROUP BY user_principal_name, home_tenant_id
ORDER BY succeeded DESC, failed DESC, guest, from_tenant
LIMIT 200
