-- name:      gateways
-- rows:      address from which five or more people signed in within 30 days: an office, or the way out of a network
-- small:     yes
-- column:    address string
SELECT address
FROM attempts
WHERE day >= current_date - INTERVAL '30' DAY
AND event_type IN ('interactiveUser', 'nonInteractiveUser')
AND outcome = 'success'
GROUP BY address
HAVING count(DISTINCT person) >= 5
