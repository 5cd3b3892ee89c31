-- name:      settings
-- rows:      thing that the owner of the tenant knows better: `kind` is break-glass-account (a name to sign in with, or an id), trusted-network (the beginning of an address) or important-application (an id). Empty until set
-- small:     yes
-- column:    kind string
-- column:    value string
SELECT kind, value
FROM (
SELECT CAST('break-glass-account' AS VARCHAR) AS kind, lower(trim(coalesce(split_part('${BreakGlassAccounts}', ',', positions.position), ''))) AS value
FROM positions WHERE size = 100
UNION ALL
SELECT CAST('trusted-network' AS VARCHAR) AS kind, lower(trim(coalesce(split_part('${TrustedNetworks}', ',', positions.position), ''))) AS value
FROM positions WHERE size = 100
UNION ALL
SELECT CAST('important-application' AS VARCHAR) AS kind, lower(trim(coalesce(split_part('${ImportantApplications}', ',', positions.position), ''))) AS value
FROM positions WHERE size = 100
) AS lists
WHERE value <> ''
