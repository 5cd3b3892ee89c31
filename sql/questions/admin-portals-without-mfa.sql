-- id:       admin-portals-without-mfa
-- name:     Who entered an admin portal without MFA?
-- summary:  Successful sign-ins of the last 30 days to portals and shells of administrators, and to
--           your important applications, with a single factor
-- severity: high
-- technique: T1078.004
-- scans:    nine columns of 30 days of interactive sign-ins
-- fields:   authenticationRequirement, appId
-- blind:    without beta the requirement is unknown, and nothing is found
-- key:      user_name, portal
-- told:     {user_name} entered {portal} with a single factor, {sign_ins} times[ from {country}],
--           the last time {last_at}
--
-- In order: Azure portal, Azure CLI, Azure PowerShell, Graph command line, Graph Explorer,
-- Microsoft 365 admin center, Exchange Online PowerShell, Security and Compliance.
SELECT
  seen.user_principal_name AS user_name,
  seen.app_display_name AS portal,
  count(*) AS sign_ins,
  count(DISTINCT seen.ip_address) AS addresses,
  max(seen.location.country_or_region) AS country,
  max(seen.created_date_time) AS last_at
FROM attempts AS seen
LEFT JOIN settings ON settings.kind = 'important-application' AND lower(seen.app_id) = settings.value
WHERE seen.day >= current_date - INTERVAL '30' DAY
  AND seen.event_type = 'interactiveUser'
  AND seen.outcome = 'success'
  AND seen.authentication_requirement = 'singleFactorAuthentication'
  AND (
    settings.value IS NOT NULL
    OR seen.app_id IN (
      'c44b4083-3bb0-49c1-b47d-974e53cbdf3c',
      '04b07795-8ddb-461a-bbee-02f9e1bf7b46',
      '1950a258-227b-4e31-a9cf-717495945fc2',
      '14d82eec-204b-4c2f-b7e8-296a70dab67e',
      'de8bc8b5-d9f9-48b1-a8ad-b748da725064',
      '00000006-0000-0ff1-ce00-000000000000',
      'fb78d390-0c51-40cd-8e17-fdbfab77341b',
      '80ccca67-54bd-44ab-8625-4b79c4dc7775'
    )
  )
GROUP BY seen.user_principal_name, seen.app_display_name
ORDER BY sign_ins DESC, user_name, portal
LIMIT 100
