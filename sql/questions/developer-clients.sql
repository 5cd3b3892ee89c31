-- id:       developer-clients
-- name:     Who used a developer's client for the first time from a new network?
-- summary:  Users whose first sign-in to Visual Studio Code, the Azure CLI, PowerShell or similar
--           within 90 days was within the last 7, from a network they never had
-- severity: medium
-- technique: T1528, T1566.002
-- scans:    eight columns of 90 days of sign-ins of users
-- fields:   appId, autonomousSystemNumber
-- blind:    victims who use such a client anyway; thieves in a network of the victim
-- key:      user_name, application, ip_address
-- told:     {user_name} used {application} for the first time[ from {ip_address}][ ({country})],
--           {first_at}
--
-- Codes that are phished for Microsoft's own applications need no consent. In order: Visual Studio
-- Code, Azure CLI, Azure PowerShell, Graph command line, Visual Studio.
SELECT
  max(user_name) AS user_name,
  application,
  min(first_at) AS first_at,
  CAST(sum(sign_ins) AS BIGINT) AS sign_ins,
  max(ip_address) AS ip_address,
  max(country) AS country
FROM (
  SELECT
    *,
    min(first_at) OVER (PARTITION BY person) AS first_ever,
    min(first_at) OVER (PARTITION BY person, app_id) AS first_with_application,
    min(first_at) OVER (PARTITION BY person, network) AS first_in_network
  FROM (
    SELECT
      person,
      app_id,
      app_display_name AS application,
      coalesce(CAST(autonomous_system_number AS VARCHAR), address) AS network,
      max(user_principal_name) AS user_name,
      max(ip_address) AS ip_address,
      max(location.country_or_region) AS country,
      count(*) AS sign_ins,
      min(created_date_time) AS first_at
    FROM attempts
    WHERE day >= current_date - INTERVAL '90' DAY
      AND event_type IN ('interactiveUser', 'nonInteractiveUser')
      AND outcome = 'success'
      AND created_date_time IS NOT NULL
    GROUP BY person, app_id, app_display_name, coalesce(CAST(autonomous_system_number AS VARCHAR), address)
  ) AS places
) AS uses
WHERE app_id IN (
    'aebc6443-996d-45c2-90f0-388ff96faa56',
    '04b07795-8ddb-461a-bbee-02f9e1bf7b46',
    '1950a258-227b-4e31-a9cf-717495945fc2',
    '14d82eec-204b-4c2f-b7e8-296a70dab67e',
    '872cd9fa-d31f-45e0-9eab-6e460a02d1f1'
  )
  AND first_with_application >= current_date - INTERVAL '7' DAY
  AND first_with_application >= first_ever + INTERVAL '1' DAY
  AND first_in_network >= first_with_application - INTERVAL '1' HOUR
GROUP BY person, application
ORDER BY first_at DESC, user_name, application
LIMIT 100
