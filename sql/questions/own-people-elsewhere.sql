-- id:       own-people-elsewhere
-- name:     Which of our people administer another tenant?
-- summary:  Your own users who reached a portal or shell of administrators of another tenant within
--           7 days, to which nobody of yours went in the 90 days before
-- severity: medium
-- technique: T1199
-- scans:    nine columns of 90 days of sign-ins of users
-- fields:   homeTenantId, resourceTenantId, appId
-- blind:    tenants that your people go to anyway
-- key:      user_name, to_tenant
-- told:     {user_name} reached [{portal} of ]the tenant {to_tenant}[ from {ip_address}],
--           {first_at}
SELECT
  max(user_name) AS user_name,
  to_tenant,
  max(portal) AS portal,
  min(created_date_time) AS first_at,
  count(*) AS sign_ins,
  max(ip_address) AS ip_address
FROM (
  SELECT
    person,
    user_principal_name AS user_name,
    lower(resource_tenant_id) AS to_tenant,
    app_id,
    app_display_name AS portal,
    ip_address,
    created_date_time,
    min(created_date_time) OVER (PARTITION BY lower(resource_tenant_id)) AS first_there
  FROM attempts
  WHERE day >= current_date - INTERVAL '90' DAY
    AND event_type IN ('interactiveUser', 'nonInteractiveUser')
    AND outcome = 'success'
    AND home_tenant_id <> ''
    AND resource_tenant_id <> ''
    AND lower(home_tenant_id) <> lower(resource_tenant_id)
    AND lower(coalesce(user_type, 'member')) <> 'guest'
) AS uses
WHERE first_there >= current_date - INTERVAL '7' DAY
  AND app_id IN (
    'c44b4083-3bb0-49c1-b47d-974e53cbdf3c',
    '04b07795-8ddb-461a-bbee-02f9e1bf7b46',
    '1950a258-227b-4e31-a9cf-717495945fc2',
    '14d82eec-204b-4c2f-b7e8-296a70dab67e',
    '00000006-0000-0ff1-ce00-000000000000',
    'fb78d390-0c51-40cd-8e17-fdbfab77341b'
  )
GROUP BY person, to_tenant
ORDER BY first_at DESC, user_name, to_tenant
LIMIT 100
