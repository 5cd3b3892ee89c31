#!/usr/bin/env bash
# Deploys EntraTrail to an AWS account, and looks after it there. ./deploy.sh --help says how; docs/deploy.md says why.
# Works with bash 3.2 or newer. Nothing secret is ever an argument of a process or part of a file that this script writes.

set -euo pipefail

here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
readonly here
readonly functions="sign-in-logs audit-logs"
readonly federation_audience="api://AzureADTokenExchange"
readonly guid='^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$'
export AWS_PAGER="" SAM_CLI_TELEMETRY=0

usage() {
    cat <<'HELP'
usage: ./deploy.sh [ACTION] [OPTIONS]

Actions (without one: deploy, or bring an existing stack up to date)
  --check                 say in plain words what works and what does not
  --status                last runs, coverage, alarms
  --run [FROM TO]         read what is due now, or the days FROM up to, not including, TO (2026-11-20 2026-11-23)
  --update-secret         store a new client secret (or certificate) and try it
  --uninstall             remove everything but the archive and its key
  --help                  this text

Options of every action
  --stack NAME            name of the stack, also of its parameters and functions   (entratrail)
  --region REGION         AWS region                      (AWS_REGION, or what the AWS CLI is set to)
  --yes                   ask nothing; what is missing is an error
  --env-file FILE         options from a file: lines such as EMAIL=me@example.com, TENANT_ID=..., HistoryDays=7

Options of deploying
  --email ADDRESS         who is told when something is wrong
  --tenant-id ID          directory (tenant) id of the app registration
  --client-id ID          application (client) id of the app registration
  --credential KIND       secret, certificate or federated                          (secret)
  --secret-file FILE      holds the client secret, or PEM of certificate and key; else it is asked for, or read from a pipe
  --secret-expires DAY    the day on which the client secret ends (2027-05-31): a mail comes 21 days before
  --set NAME=VALUE        any parameter of template.yaml; may be repeated
  --binaries DIR          use the programs sign-in-logs and audit-logs in DIR in place of building them
  --enable-federation     with --credential federated: let this AWS account give out tokens, where it does not yet

Options of --uninstall
  --delete-archive NAME   delete the archive and its key as well; NAME must be the name of the bucket

Exit status: 0 done; 1 it failed, and the last line says why; 2 wrong use, and nothing was changed.
HELP
}

say() { echo "$*"; }
note() { echo "$*" >&2; }
# Something is wrong with what was asked; nothing was changed.
refuse() { note "deploy.sh: $*" && exit 2; }
# Something went wrong on the way.
fail() { note "deploy.sh: $*" && exit 1; }

# --- what was asked ---------------------------------------------------------------------------------------------------

action=deploy stack=entratrail region="" email="" tenant_id="" client_id="" credential="" secret_file="" secret_expires=""
env_file="" binaries="" run_from="" run_to="" delete_archive="" asks=true enables_federation=false
overrides=()

needs_value() { [[ $# -ge 2 && "$2" != --* ]] || refuse "$1 needs a value; see --help"; }

set_action() {
    [[ "$action" == deploy ]] || refuse "--$action and --$1 are two actions; choose one"
    action="$1"
}

parse_arguments() {
    while (($# > 0)); do
        case "$1" in
        --help | -h) usage && exit 0 ;;
        --check | --status | --update-secret | --uninstall) set_action "${1#--}" ;;
        --run)
            set_action run
            if [[ $# -ge 2 && "$2" != --* ]]; then
                [[ $# -ge 3 && "$3" != --* ]] || refuse "--run needs both days, FROM and TO, or none"
                run_from="$2" run_to="$3" && shift 2
            fi
            ;;
        --yes) asks=false ;;
        --enable-federation) enables_federation=true ;;
        --stack) needs_value "$@" && stack="$2" && shift ;;
        --region) needs_value "$@" && region="$2" && shift ;;
        --email) needs_value "$@" && email="$2" && shift ;;
        --tenant-id) needs_value "$@" && tenant_id="$2" && shift ;;
        --client-id) needs_value "$@" && client_id="$2" && shift ;;
        --credential) needs_value "$@" && credential="$2" && shift ;;
        --secret-file) needs_value "$@" && secret_file="$2" && shift ;;
        --secret-expires) needs_value "$@" && secret_expires="$2" && shift ;;
        --binaries) needs_value "$@" && binaries="$2" && shift ;;
        --delete-archive) needs_value "$@" && delete_archive="$2" && shift ;;
        --env-file) needs_value "$@" && read_env_file "$2" && shift ;;
        --set) needs_value "$@" && add_override "$2" && shift ;;
        --secret | --client-secret | --secret=* | --client-secret=*)
            refuse "a secret is never an argument, because every process list shows it: pipe it, or use --secret-file" ;;
        *) refuse "\"$1\" is not an option; see --help" ;;
        esac
        shift
    done
}

# The file is read, not run. What it names, an option given after it changes.
read_env_file() {
    local line name value
    env_file="$1"
    [[ -r "$env_file" ]] || refuse "the file $env_file of --env-file cannot be read"
    while IFS= read -r line || [[ -n "$line" ]]; do
        [[ "$line" =~ ^[[:space:]]*(#.*)?$ ]] && continue
        [[ "$line" =~ ^([A-Za-z_][A-Za-z0-9_]*)=(.*)$ ]] || refuse "$env_file: a line is not of the form NAME=value"
        name="${BASH_REMATCH[1]}" value="${BASH_REMATCH[2]}"
        case "$name" in
        STACK) stack="$value" ;;
        REGION) region="$value" ;;
        EMAIL) email="$value" ;;
        TENANT_ID) tenant_id="$value" ;;
        CLIENT_ID) client_id="$value" ;;
        CREDENTIAL) credential="$value" ;;
        SECRET_FILE) secret_file="$value" ;;
        SECRET_EXPIRES) secret_expires="$value" ;;
        BINARIES) binaries="$value" ;;
        *SECRET | *PASSWORD) refuse "$env_file: $name looks like a secret, which has no place there; name a file in SECRET_FILE" ;;
        *) add_override "$name=$value" ;;
        esac
    done <"$env_file"
}

add_override() {
    local name="${1%%=*}"
    [[ "$1" == *=* ]] || refuse "--set needs NAME=VALUE, and \"$1\" has no ="
    template_parameters | grep -qx "$name" ||
        refuse "\"$name\" is no parameter of template.yaml; there are: $(template_parameters | paste -sd ' ' -)"
    [[ "$1" != *\"* ]] || refuse "the value of $name must not hold quotation marks"
    overrides+=("$name=\"${1#*=}\"")
}

template_parameters() { sed -n '/^Parameters:/,/^Rules:/s/^  \([A-Za-z0-9]*\):$/\1/p' "$here/template.yaml"; }

check_form() {
    [[ "$stack" =~ ^[A-Za-z][A-Za-z0-9-]{0,50}$ ]] ||
        refuse "\"$stack\" cannot be the name of a stack: letters, digits and hyphens, a letter first, at most 51"
    [[ -z "$email" || "$email" =~ ^[^@[:space:]\"\'\<\>,\;]+@[^@[:space:]\"\'\<\>,\;]+\.[^@[:space:]\"\'\<\>,\;.]+$ ]] ||
        refuse "\"$email\" is not an email address"
    [[ -z "$tenant_id" || "$tenant_id" =~ $guid || "$tenant_id" =~ ^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$ ]] ||
        refuse "\"$tenant_id\" is not a tenant: use the directory (tenant) id that Entra shows, or a domain of it"
    [[ -z "$client_id" || "$client_id" =~ $guid ]] ||
        refuse "\"$client_id\" is not a client id: use the application (client) id of the app registration, like 1b2c3d4e-..."
    [[ "$credential" =~ ^(secret|certificate|federated|)$ ]] ||
        refuse "--credential is \"$credential\"; it can be secret, certificate or federated"
    [[ -z "$secret_expires" || "$secret_expires" =~ ^20[0-9]{2}-[01][0-9]-[0-3][0-9]$ ]] ||
        refuse "--secret-expires is \"$secret_expires\"; it must be a day such as 2027-05-31"
    [[ -z "$secret_file" || -r "$secret_file" ]] || refuse "the file $secret_file of --secret-file cannot be read"
    [[ -z "$delete_archive" || "$action" == uninstall ]] || refuse "--delete-archive belongs to --uninstall"
    local day
    for day in $run_from $run_to; do
        [[ "$day" =~ ^20[0-9]{2}-[01][0-9]-[0-3][0-9](T[0-9:]+Z)?$ ]] ||
            refuse "--run: \"$day\" is not a day such as 2026-11-20, nor an instant such as 2026-11-20T06:00:00Z"
    done
}

# --- tools and identity -----------------------------------------------------------------------------------------------

need_tool() { command -v "$1" >/dev/null || refuse "$1 is missing: $2"; }

check_tools() {
    need_tool aws "install the AWS CLI (https://aws.amazon.com/cli)"
    need_tool python3 "install Python 3.8 or newer"
    [[ "$action" == deploy ]] || return 0
    need_tool sam "install the AWS SAM CLI (pip install aws-sam-cli)"
    need_tool curl "install curl"
    [[ "$credential" != certificate ]] || need_tool openssl "install OpenSSL, which makes the certificate"
    [[ -z "$binaries" ]] || return 0
    need_tool cargo "install Rust (https://rustup.rs)"
    cargo lambda --version >/dev/null 2>&1 || refuse "cargo-lambda is missing: pip install cargo-lambda ziglang"
}

check_identity() {
    local answer
    [[ -n "$region" ]] || region="${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region 2>/dev/null || true)}}"
    [[ -n "$region" ]] || refuse "no AWS region is set: use --region, e.g. --region eu-central-1"
    [[ "$region" =~ ^[a-z]{2}(-[a-z]+)+-[0-9]$ ]] || refuse "\"$region\" is not an AWS region such as eu-central-1"
    export AWS_REGION="$region" AWS_DEFAULT_REGION="$region"
    answer="$(aws sts get-caller-identity --query '[Account,Arn]' --output text 2>&1)" || case "$answer" in
        *"Could not connect"*) refuse "AWS cannot be reached in \"$region\": is that a region of your account, and is the network up?" ;;
        *"Unable to locate credentials"*) refuse "the AWS CLI has no credentials: run aws configure, or aws sso login" ;;
        *) refuse "AWS does not accept these credentials: $(last_line "$answer")" ;;
        esac
    account="${answer%%[[:space:]]*}"
    say "AWS account $account, region $region, as ${answer##*[[:space:]]}"
}

last_line() { sed '/^[[:space:]]*$/d' <<<"$1" | tail -n 1; }

# --- questions --------------------------------------------------------------------------------------------------------

ask() { # ask VARIABLE QUESTION OPTION: asks where there is somebody to answer
    local answer
    [[ -z "${!1}" ]] || return 0
    if [[ "$asks" != true || ! -t 0 ]]; then refuse "$3 is missing ($2)"; fi
    read -r -p "$2: " answer
    printf -v "$1" '%s' "$answer"
    check_form
}

confirm() {
    local answer
    [[ "$asks" == true ]] || return 0
    [[ -t 0 ]] || refuse "$1 Nobody is there to answer; repeat with --yes"
    read -r -p "$1 [y/N] " answer
    [[ "$answer" == [yY]* ]] || refuse "nothing was done"
}

# Leaves the secret in the variable `secret`, from the file, a pipe, or the keyboard without echo.
read_secret() {
    if [[ -n "$secret_file" ]]; then
        secret="$(<"$secret_file")"
    elif [[ ! -t 0 ]]; then
        secret="$(cat)"
    elif [[ "$asks" == true ]]; then
        read -r -s -p "Client secret (its value; it is not shown): " secret
        echo
    fi
    [[ -n "$secret" ]] || refuse "the client secret is missing: type it, pipe it, or name its file in --secret-file"
    [[ "$credential" == certificate || ! "$secret" =~ $guid ]] ||
        refuse "that is the secret's id; the value is the other column in Entra, shown only once: make a new secret and copy its value"
    [[ "$credential" == certificate || ! "$secret" =~ [[:space:]] ]] ||
        refuse "the client secret holds spaces or line breaks, which none does: copy its value alone"
}

# --- the stack --------------------------------------------------------------------------------------------------------

# The stack as CloudFormation knows it, asked for once: lines of a name and a value, none where there is no stack. The
# names of its parameters and outputs are all different.
read_stack() {
    aws cloudformation describe-stacks --stack-name "$stack" --output text --query "Stacks[0].[[['Status', StackStatus]],
        Parameters[].[ParameterKey, ParameterValue], Outputs[].[OutputKey, OutputValue]][]" >"$work/stack" 2>/dev/null || true
}

stack_value() { # stack_value NAME: what a parameter or an output is, or nothing
    [[ -f "$work/stack" ]] || read_stack
    awk -F '\t' -v name="$1" '$1 == name { print $2 }' "$work/stack"
}

stack_status() {
    local status
    status="$(stack_value Status)"
    echo "${status:-none}"
}

need_stack() {
    [[ "$(stack_status)" != none ]] || refuse "there is no stack \"$stack\" in account $account, $region: deploy it first, or name another with --stack"
}

override_of() { # the value that --set gave a parameter, or what the stack has, or the template's default
    local pair default
    for pair in ${overrides[@]+"${overrides[@]}"}; do
        [[ "$pair" != "$1="* ]] || { pair="${pair#*=\"}" && echo "${pair%\"}" && return; }
    done
    default="$(stack_value "$1")"
    [[ -z "$default" ]] || { echo "$default" && return; }
    sed -n "/^  $1:\$/,/^  [A-Z]/s/^    Default: \"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" "$here/template.yaml"
}

check_bucket() {
    local bucket answer
    bucket="$(override_of ExistingBucket)"
    [[ -n "$bucket" ]] || return 0
    answer="$(aws s3api head-bucket --bucket "$bucket" 2>&1)" || case "$answer" in
        *403* | *Forbidden*) refuse "the bucket \"$bucket\" belongs to somebody else, or you may not use it" ;;
        *404* | *"Not Found"*) refuse "there is no bucket \"$bucket\": leave ExistingBucket empty to have one made" ;;
        *) refuse "the bucket \"$bucket\" cannot be used: $(last_line "$answer")" ;;
        esac
}

check_tenant() {
    local login status
    login="$(override_of LoginUrl)"
    login="${login:-https://login.microsoftonline.com}"
    status="$(curl --silent --output /dev/null --max-time 20 --write-out '%{http_code}' \
        "$login/$tenant_id/v2.0/.well-known/openid-configuration" || true)"
    case "$status" in
    200) ;;
    400 | 404) refuse "Entra knows no tenant \"$tenant_id\": copy the directory (tenant) id from the app registration's overview" ;;
    *) note "deploy.sh: $login could not be asked whether the tenant exists (status $status); going on" ;;
    esac
}

build() { # leaves template and programs in the folder $work, as SAM wants them
    local architecture flag function program
    cp "$here/template.yaml" "$work/"
    architecture="$(override_of Architecture)"
    if [[ -z "$binaries" ]]; then
        flag="--arm64"
        [[ "$architecture" == arm64 ]] || flag="--x86-64"
        say "Building both functions for $architecture; the first time takes some minutes"
        (cd "$here" && cargo lambda build --profile lambda --locked "$flag" --lambda-dir "$work/built" \
            --package sign-in-logs --package audit-logs) || fail "the functions could not be built; the lines above say why"
        binaries="$work/built"
    fi
    for function in $functions; do
        program="$binaries/$function"
        [[ ! -d "$program" ]] || program="$program/bootstrap"
        [[ -f "$program" ]] || refuse "$binaries holds no program $function"
        mkdir -p "$work/target/lambda/$function"
        cp -p "$program" "$work/target/lambda/$function/bootstrap"
        chmod 755 "$work/target/lambda/$function/bootstrap"
    done
}

deploy_stack() {
    local pid
    [[ "$(stack_status)" != ROLLBACK_COMPLETE ]] || remove_stack # left by a first deployment that failed
    [[ -z "$email" ]] || overrides+=("AlarmEmail=\"$email\"")
    [[ -z "$credential" ]] || overrides+=("Credential=\"$credential\"")
    [[ -z "$secret_expires" ]] || overrides+=("CredentialExpires=\"$secret_expires\"")
    say "Deploying the stack $stack"
    deployed_at="$(date -u +%Y-%m-%dT%H:%M:%S)"
    sam deploy --template-file "$work/template.yaml" --stack-name "$stack" --region "$region" --resolve-s3 \
        --capabilities CAPABILITY_IAM --no-confirm-changeset --no-fail-on-empty-changeset --no-progressbar \
        --tags Application=EntraTrail ${overrides[@]+--parameter-overrides "${overrides[@]}"} >"$work/sam.log" 2>&1 </dev/null &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        sleep 2
        progress "$(resources_done)"
    done
    progress_end
    rm -f "$work/stack"
    wait "$pid" || fail "$(why_it_failed)"
    ! grep -q "No changes to deploy" "$work/sam.log" || say "The stack is as it should be; nothing to change"
}

resources_done() {
    aws cloudformation describe-stack-resources --stack-name "$stack" --output text \
        --query 'StackResources[].ResourceStatus' 2>/dev/null | tr '\t' '\n' |
        awk '/_COMPLETE$/ { done++ } END { printf "  %d of %d resources are done", done, NR }' || true
}

# In one sentence: the first resource that failed in this deployment, or what was wrong before any was touched.
why_it_failed() {
    local first
    first="$(aws cloudformation describe-stack-events --stack-name "$stack" --output text \
        --query 'reverse(StackEvents)[].[Timestamp, ResourceStatus, LogicalResourceId, ResourceStatusReason]' 2>/dev/null |
        awk -F '\t' -v since="$deployed_at" '$1 >= since && $2 ~ /_FAILED$/ && $4 !~ /cancelled/ && !found { print $3 ": " $4; found = 1 }')"
    if [[ -n "$first" ]]; then
        echo "the deployment was rolled back, because of $first"
    else
        echo "the deployment was refused: $(grep -iE 'error|fail|reason' "$work/sam.log" | tail -n 1)"
    fi
}

remove_stack() {
    local why
    aws cloudformation delete-stack --stack-name "$stack"
    aws cloudformation wait stack-delete-complete --stack-name "$stack" || {
        why="$(aws cloudformation describe-stack-events --stack-name "$stack" --output text --query \
            "StackEvents[?ResourceStatus=='DELETE_FAILED'].[LogicalResourceId, ResourceStatusReason] | [0]" 2>/dev/null)"
        fail "the stack $stack could not be removed: ${why:-see the CloudFormation console}"
    }
    rm -f "$work/stack"
}

progress() { if [[ -t 1 ]]; then printf '\r\033[K%s' "$1"; elif [[ "$1" != "${last_progress:-}" ]]; then say "$1"; fi && last_progress="$1"; }
progress_end() { if [[ -t 1 && -n "${last_progress:-}" ]]; then echo; fi && last_progress=""; }

# --- parameters -------------------------------------------------------------------------------------------------------

# What is stored, decrypted: in memory alone.
read_parameters() {
    parameters="$(aws ssm get-parameters --with-decryption --names "/$stack/"{tenant-id,client-id,client-secret,client-certificate} \
        --query 'Parameters[].[Name, Value]' --output json 2>/dev/null)" || parameters="[]"
}

parameter() { # parameter NAME: the stored value, or nothing
    printf '%s' "$parameters" | python3 -c 'import json, sys; print(dict(json.load(sys.stdin)).get(sys.argv[1], ""))' "/$stack/$1"
}

# Stores the value of a variable, unless it is stored already. `printf` is part of bash, so no process list shows it.
store() { # store NAME VARIABLE
    local key answer
    [[ -n "${!2}" && "$(parameter "$1")" != "${!2}" ]] || return 0
    key="$(stack_value KeyArn)"
    [[ "$key" != aws ]] || key=""
    answer="$(printf '%s' "${!2}" | aws ssm put-parameter --name "/$stack/$1" --type SecureString --overwrite \
        ${key:+--key-id "$key"} --value file:///dev/stdin 2>&1)" || fail "/$stack/$1 could not be stored: $(last_line "$answer")"
    say "Stored /$stack/$1, encrypted"
}

# Key and certificate stay in memory; only the certificate, which is public, becomes a file.
make_certificate() {
    local key certificate file="$stack-certificate.pem"
    key="$(openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 2>/dev/null)"
    certificate="$(openssl req -x509 -new -sha256 -days 730 -subj "/CN=$stack" -key <(printf '%s\n' "$key"))"
    secret="$certificate"$'\n'"$key"
    printf '%s\n' "$certificate" >"$file"
    say "Made a certificate, valid for two years: $file"
    say "Upload it in Entra now: App registrations, your application, Certificates & secrets, Certificates, Upload certificate"
    sed 's/^/    /' "$file"
}

set_up_federation() {
    local answer issuer role
    if [[ "$enables_federation" == true ]]; then
        answer="$(aws iam enable-outbound-web-identity-federation 2>&1)" || [[ "$answer" == *FeatureEnabled* ]] ||
            fail "outbound federation could not be enabled: $(last_line "$answer")"
    fi
    issuer="$(aws iam get-outbound-web-identity-federation-info --query IssuerIdentifier --output text 2>&1)" ||
        fail "this AWS account gives out no tokens yet: repeat with --enable-federation ($(last_line "$issuer"))"
    say "Enter two federated credentials in Entra: App registrations, your application, Certificates & secrets, Federated credentials,"
    say "Add credential, scenario \"Other issuer\":"
    for role in SignInRole AuditRole; do
        say "    Issuer    $issuer"
        say "    Type      Explicit subject identifier"
        say "    Value     $(stack_value $role)"
        say "    Name      $stack-$(tr '[:upper:]' '[:lower:]' <<<"$role")"
        say "    Audience  $federation_audience"
        say ""
    done
}

# --- the functions ----------------------------------------------------------------------------------------------------

# Runs a function and leaves its answer in $work/NAME.json; false where it failed.
invoke() { # invoke FUNCTION EVENT-FILE NAME
    local status
    status="$(AWS_MAX_ATTEMPTS=1 aws lambda invoke --function-name "$stack-$1" --cli-read-timeout 960 --payload "fileb://$2" \
        --query '[StatusCode,FunctionError]' --output text "$work/$3.json" 2>"$work/$3.err")" ||
        fail "the function $stack-$1 could not be started: $(last_line "$(<"$work/$3.err")")"
    [[ "$status" == *None ]]
}

# Prints something of an answer; the expression sees it as `answer`.
answer_of() { # answer_of NAME EXPRESSION
    python3 -c 'import json, sys; answer = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$work/$1.json" "$2"
}

check_functions() { # prints what works; false where something does not
    local function works=true
    for function in $functions; do
        say "$function:"
        invoke "$function" "$here/events/check.json" check || { say "  FAILED  $(answer_of check 'answer["errorMessage"]')" && works=false && continue; }
        answer_of check '"\n".join("  %-6s  %s: %s" % ("ok" if c["ok"] else "FAILED", c["name"], c["answer"]) for c in answer["checks"])'
        [[ "$(answer_of check 'answer["ok"]')" == True ]] || works=false
    done
    [[ "$works" == true ]]
}

await_token() {
    local tries=0
    say "Waiting for Entra to accept it; Ctrl-C stops waiting, and ./deploy.sh --check goes on from there"
    until check_functions >"$work/checks" 2>&1 || ! grep -q 'FAILED  credential' "$work/checks"; do
        tries=$((tries + 1))
        ((tries < 120)) || fail "Entra still refuses: $(grep -m 1 'FAILED  credential' "$work/checks" | sed 's/^ *//')"
        progress "  not yet ($(grep -m 1 'FAILED  credential' "$work/checks" | sed 's/^ *FAILED  //' | cut -c 1-100))"
        sleep 15
    done
    progress_end
}

# Reads what is due, or a span, with both functions one after the other, since they share Graph's limit.
run_functions() {
    local function
    if [[ -n "$run_from" ]]; then
        printf '{"from": "%s", "to": "%s", "askedAt": "%s"}' "$run_from" "$run_to" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$work/run.event"
    else
        cp "$here/events/scheduled.json" "$work/run.event"
    fi
    python3 -c 'import json, sys; event = json.load(open(sys.argv[1])); event.pop("source", None)
event = {**({k: event[k] for k in ("from", "to", "askedAt")} if "from" in event else {}), "dryRun": True}
json.dump(event, open(sys.argv[2], "w"))' "$work/run.event" "$work/plan.event"
    for function in $functions; do run_function "$function"; done
}

run_function() {
    local pid left before="" still=0
    say "$1: reading"
    (invoke "$1" "$work/run.event" run) &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        left="$(windows_left "$1")" && progress "  $left windows left"
        sleep 3
    done
    progress_end
    wait "$pid" || fail "$1: $(answer_of run 'answer["errorMessage"]' 2>/dev/null || echo "the run could not be started")"
    # A long read goes on in further invocations.
    while true; do
        left="$(windows_left "$1")" || fail "$1 cannot say what is left to read: $(answer_of plan 'answer["errorMessage"]' 2>/dev/null)"
        [[ "$left" != 0 ]] || break
        progress "  $left windows left"
        if [[ "$left" == "$before" ]]; then still=$((still + 1)); else still=0 before="$left"; fi
        ((still < 200)) || fail "$1: $left windows are left and nothing has happened for ten minutes; ./deploy.sh --status says more"
        sleep 3
    done
    progress_end
    say "  $(answer_of run '"%d records were new; nothing is left to read" % answer["new"] if answer["remainingWindows"] == 0 else "nothing is left to read"')"
}

windows_left() {
    invoke "$1" "$work/plan.event" plan && answer_of plan 'answer["remainingWindows"]'
}

# --- actions ----------------------------------------------------------------------------------------------------------

deploy() {
    local stored status has_credential=false
    status="$(stack_status)"
    case "$status" in *_IN_PROGRESS) refuse "the stack $stack is being changed by somebody else ($status); try again when that is done" ;; esac
    [[ "$status" != none ]] || ask email "Email address that is told when something is wrong" --email
    credential="${credential:-$(override_of Credential)}"
    read_parameters
    stored="$(parameter tenant-id)"
    [[ -n "$stored" ]] || ask tenant_id "Directory (tenant) id" --tenant-id
    [[ -n "$(parameter client-id)" ]] || ask client_id "Application (client) id" --client-id
    check_tools
    check_bucket
    [[ -z "$tenant_id" || "$tenant_id" == "$stored" ]] || check_tenant
    secret=""
    [[ -z "$(parameter "client-$credential")" ]] || has_credential=true
    if [[ "$credential" == secret && ("$has_credential" == false || -n "$secret_file") ]] ||
        [[ "$credential" == certificate && -n "$secret_file" ]]; then read_secret; fi
    build
    deploy_stack
    [[ "$credential" != certificate || -n "$secret" || "$has_credential" == true ]] || make_certificate
    store tenant-id tenant_id
    store client-id client_id
    store "client-$credential" secret
    if [[ "$has_credential" == false ]]; then
        case "$credential" in
        federated) set_up_federation && await_token ;;
        certificate) [[ -n "$secret_file" ]] || await_token ;;
        esac
    fi
    check_functions || fail "the stack is there, but not everything works: put right what FAILED, then run ./deploy.sh again"
    run_functions
    what_next
}

what_next() {
    local same="./deploy.sh --stack $stack --region $region"
    say ""
    say "Done. The archive is s3://$(stack_value ArchiveBucket); both logs are read every day from now on."
    say "  1. Open the link in the mail from AWS to $(stack_value AlarmEmail); before that, no failure mail arrives."
    say "  2. $same --status           last runs, coverage, alarms"
    say "  3. Dashboard: $(stack_value DashboardLink)"
    say "  4. Questions: $(stack_value QueryEditorLink), workgroup $(stack_value QueryWorkgroup)"
}

update_secret() {
    need_stack
    credential="$(stack_value Credential)"
    secret=""
    case "$credential" in
    federated) refuse "the stack $stack is federated: there is no secret to update" ;;
    certificate) if [[ -n "$secret_file" ]]; then read_secret; else need_tool openssl "install OpenSSL" && make_certificate; fi ;;
    secret) read_secret ;;
    esac
    read_parameters
    store "client-$credential" secret
    [[ "$credential" != certificate || -n "$secret_file" ]] || await_token
    check_functions || fail "the new credential does not work yet; the lines above say why"
    [[ "$credential" != secret ]] || say "To be reminded before it ends: ./deploy.sh --secret-expires DAY"
}

show_status() {
    local function group
    need_stack
    say "Stack $stack: $(stack_status); archive s3://$(stack_value ArchiveBucket)"
    for function in $functions; do
        say "" && say "$function, runs of the last 7 days:"
        group="$(stack_value "$([[ $function == sign-in-logs ]] && echo SignInLogGroup || echo AuditLogGroup)")"
        aws logs filter-log-events --log-group-name "$group" --start-time "$((($(date +%s) - 604800) * 1000))" \
            --filter-pattern '"remainingWindows"' --query 'events[].[timestamp,message]' --output json 2>/dev/null |
            print_runs || true
        printf '{"dryRun": true, "from": "%s", "to": "%s"}' "$(days_ago "$(stack_value HistoryDays)")" "$(days_ago 0)" >"$work/plan.event"
        if invoke "$function" "$work/plan.event" plan; then print_coverage; else say "  $(answer_of plan 'answer["errorMessage"]')"; fi
    done
    say "" && say "Alarms:"
    aws cloudwatch describe-alarms --alarm-name-prefix "$stack-" --query 'MetricAlarms[].[StateValue,AlarmName]' --output text |
        awk '{ printf "  %-18s %s\n", $1, $2 }'
}

# A line for each report in the log, of which the standard input holds time and text.
print_runs() {
    python3 -c '
import datetime, json, sys
reports = [(time, json.loads(text)) for time, text in json.load(sys.stdin) or []]
# A plan reads nothing: what it lists is what it leaves.
reports = [(time, report) for time, report in reports if not report["windows"] or report["remainingWindows"] != len(report["windows"])]
for time, report in reports[-10:]:
    failed = [window for window in report["windows"] if window["error"]]
    print("  %s  %6d new, %d changed, %d windows read, %d failed, %d left, %.0f s" % (
        datetime.datetime.fromtimestamp(time / 1000, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M"), report["new"],
        report["changed"], len(report["windows"]) - len(failed), len(failed), report["remainingWindows"], report["durationMs"] / 1000))
    for window in failed[:3]:
        print("      %s from %s: %s" % (window["stream"], window["start"], window["error"]))
if not reports:
    print("  none")'
}

# What a plan of the whole history says of each stream.
print_coverage() {
    say "  coverage of the last $(stack_value HistoryDays) days:"
    python3 -c '
import collections, json, sys
states = collections.defaultdict(collections.Counter)
for window in json.load(open(sys.argv[1]))["windows"]:
    states[window["stream"]][window["state"]] += 1
for stream, counts in states.items():
    print("    %-20s %s" % (stream, ", ".join("%d %s" % (n, state) for state, n in sorted(counts.items()))))' "$work/plan.json"
}

days_ago() { python3 -c 'import datetime, sys; print((datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(int(sys.argv[1]))).date())' "$1"; }

uninstall() {
    local bucket key name
    need_stack
    bucket="$(stack_value ArchiveBucket)" key="$(stack_value KeyArn)"
    [[ -z "$delete_archive" || "$delete_archive" == "$bucket" ]] ||
        refuse "--delete-archive names \"$delete_archive\", and the archive is \"$bucket\"; nothing was deleted"
    [[ -z "$delete_archive" || -z "$(stack_value ExistingBucket)" ]] ||
        refuse "the bucket $bucket was there before the stack; delete it yourself if it is to go"
    confirm "Remove the stack $stack${delete_archive:+, AND EVERY LOG in $bucket, for good}?"
    remove_stack
    for name in tenant-id client-id client-secret client-certificate; do
        aws ssm delete-parameter --name "/$stack/$name" 2>/dev/null || true
    done
    say "Removed the stack $stack and the parameters below /$stack"
    if [[ -z "$delete_archive" ]]; then
        say "Kept the archive s3://$bucket$([[ "$key" == aws ]] || echo " and its key $key")"
        say "To go on with it later: ./deploy.sh --set ExistingBucket=$bucket$([[ "$key" == aws ]] || echo " --set CreateKey=false --set ExistingKeyArn=$key")"
        return
    fi
    empty_bucket "$bucket"
    aws s3api delete-bucket --bucket "$bucket"
    say "Deleted the archive s3://$bucket"
    [[ "$key" == aws ]] || { aws kms schedule-key-deletion --key-id "$key" --pending-window-in-days 30 >/dev/null &&
        say "The key $key goes in 30 days; until then aws kms cancel-key-deletion brings it back"; }
}

empty_bucket() {
    local answer
    while true; do
        # shellcheck disable=SC2016 # the backticks are a literal of the query language
        aws s3api list-object-versions --bucket "$1" --max-items 500 --output json \
            --query '{Objects: [Versions, DeleteMarkers][] | [?@].{Key: Key, VersionId: VersionId}, Quiet: `true`}' >"$work/versions.json"
        grep -q '"Key"' "$work/versions.json" || return 0
        answer="$(aws s3api delete-objects --bucket "$1" --delete "file://$work/versions.json" --query 'Errors[0].Message' --output text 2>&1)" ||
            fail "the archive could not be emptied: $(last_line "$answer")"
        [[ "$answer" == None ]] || fail "the archive could not be emptied: $answer"
    done
}

main() {
    parse_arguments "$@"
    check_form
    check_tools
    check_identity
    work="$(mktemp -d)"
    trap 'rm -rf "$work"' EXIT
    case "$action" in
    deploy) deploy ;;
    check) need_stack && { check_functions || fail "not everything works; the lines marked FAILED say what"; } ;;
    status) show_status ;;
    run) need_stack && run_functions ;;
    update-secret) update_secret ;;
    uninstall) uninstall ;;
    esac
}

main "$@"
