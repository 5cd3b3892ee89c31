-- id:       distributed-spray
-- name:     Which client tries the passwords of many users from many addresses?
-- summary:  Slow or distributed spray: one user agent or network, wrong passwords of twenty or more
--           users from ten or more addresses within a week, more users than it gets into
-- severity: high
-- technique: T1110.003
-- scans:    eight columns of 7 days of sign-ins of users
-- fields:   userAgent, autonomousSystemNumber, ipAddress, status.errorCode
-- blind:    sprays that change user agent and network with each try
-- key:      client
-- told:     {client} tried the passwords of {users_tried} users from {addresses} addresses, such as
--           {one_address}[, and got in as {one_who_signed_in}], {first_at} to {last_at}
--
-- Answers which user agents failed so, and from how many networks. A browser that everybody has
-- gets into more users than it fails with.
SELECT
  client,
  count(CASE WHEN wrong > 0 THEN person END) AS users_tried,
  sum(wrong) AS wrong_passwords,
  count(CASE WHEN succeeded > 0 THEN person END) AS users_signed_in,
  max(signed_in_as) AS one_who_signed_in,
  max(addresses) AS addresses,
  max(one_address) AS one_address,
  min(first_at) AS first_at,
  max(last_at) AS last_at
FROM (
  SELECT
    clients.client AS client,
    tries.person AS person,
    max(clients.addresses) AS addresses,
    max(clients.one_address) AS one_address,
    count(*) FILTER (WHERE tries.status.error_code IN (50126, 50034, 50053, 50056)) AS wrong,
    count(*) FILTER (WHERE tries.outcome = 'success') AS succeeded,
    max(CASE WHEN tries.outcome = 'success' THEN tries.user_principal_name END) AS signed_in_as,
    min(tries.created_date_time) AS first_at,
    max(tries.created_date_time) AS last_at
  FROM (
    SELECT
      coalesce(nullif(user_agent, ''), 'network ' || CAST(autonomous_system_number AS VARCHAR)) AS client,
      count(DISTINCT address) AS addresses,
      max(ip_address) AS one_address
    FROM attempts
    WHERE day >= current_date - INTERVAL '7' DAY
      AND event_type IN ('interactiveUser', 'nonInteractiveUser')
      AND status.error_code IN (50126, 50034, 50053, 50056)
    GROUP BY 1
    HAVING count(DISTINCT address) >= 10
      AND count(DISTINCT person) >= 20
  ) AS clients
  JOIN attempts AS tries
    ON coalesce(nullif(tries.user_agent, ''), 'network ' || CAST(tries.autonomous_system_number AS VARCHAR)) = clients.client
  WHERE tries.day >= current_date - INTERVAL '7' DAY
    AND tries.event_type IN ('interactiveUser', 'nonInteractiveUser')
  GROUP BY clients.client, tries.person
) AS users
GROUP BY client
HAVING count(CASE WHEN wrong > 0 THEN person END) > count(CASE WHEN succeeded > 0 THEN person END)
ORDER BY users_tried DESC, client
LIMIT 100
