-- id:       agents-reach-new-resources
-- name:     Which agents reach something new?
-- summary:  AI agents that reached a resource within the last 7 days that they had not reached in
--           the 90 days before
-- severity: medium
-- technique: T1078.004
-- scans:    eight columns of 90 days of all sign-ins
-- fields:   agent, resourceId
-- blind:    agents that Graph does not mark as such; without beta none is marked
-- key:      agent_name, resource
-- told:     The agent {agent_name} reached {resource} for the first time[ from {ip_address}],
--           {first_at}
SELECT
  agent_name,
  resource,
  first_at_resource AS first_at,
  sign_ins,
  ip_address
FROM (
  SELECT
    coalesce(nullif(service_principal_id, ''), app_id) AS agent_id,
    max(coalesce(nullif(service_principal_name, ''), app_display_name)) AS agent_name,
    resource_display_name AS resource,
    count(*) AS sign_ins,
    max(ip_address) AS ip_address,
    min(created_date_time) AS first_at_resource,
    min(min(created_date_time)) OVER (PARTITION BY coalesce(nullif(service_principal_id, ''), app_id)) AS first_ever
  FROM attempts
  WHERE day >= current_date - INTERVAL '90' DAY
    AND outcome = 'success'
    AND coalesce(agent.agent_type, '') NOT IN ('', 'notAgentic')
  GROUP BY coalesce(nullif(service_principal_id, ''), app_id), resource_display_name
) AS resources
WHERE first_at_resource >= current_date - INTERVAL '7' DAY
  AND first_at_resource >= first_ever + INTERVAL '1' DAY
ORDER BY first_at DESC, agent_name, resource
LIMIT 100
