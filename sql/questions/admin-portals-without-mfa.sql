-- id:        admin-portals-without-mfa
-- name:      Who entered an admin portal without MFA?
-- summary:   Successful sign-ins of the last 30 days to portals and shells of administrators
--           with a single factor
-- severity:  high
-- technique: T1078.004
-- scans:     seven columns of 30 days of interactive sign-ins
--
-- Answers who got into a portal or shell for administrators with just one factor, and from
-- where. In order: Azure portal, Azure CLI, Azure PowerShell, Graph command line, Graph
-- Explorer, Microsoft 365 admin center, Exchange Online PowerShell, Security and Compliance.
-- The factor is known where the beta version of Graph is read.
SELECT
  user_principal_name AS user_name,
  app_display_name AS portal,
  count(*) AS sign_ins,
  count(DISTINCT ip_address) AS addresses,
  max(location.country_or_region) AS country,
  max(created_date_time) AS last_at
FROM sign_ins_latest
WHERE day >= current_date - INTERVAL '30' DAY
  AND event_type = 'interactiveUser'
  AND status.error_code = 0
  AND authentication_requirement = 'singleFactorAuthentication'
  AND app_id IN (
    'c44b4083-3bb0-49c1-b47d-974e53cbdf3c',
    '04b07795-8ddb-461a-bbee-02f9e1bf7b46',
    '1950a258-227b-4e31-a9cf-717495945fc2',
    '14d82eec-204b-4c2f-b7e8-296a70dab67e',
    'de8bc8b5-d9f9-48b1-a8ad-b748da725064',
    '00000006-0000-0ff1-ce00-000000000000',
    'fb78d390-0c51-40cd-8e17-fdbfab77341b',
    '80ccca67-54bd-44ab-8625-4b79c4dc7775'
  )
GROUP BY user_principal_name, app_display_name
ORDER BY sign_ins DESC, user_name, portal
LIMIT 100
