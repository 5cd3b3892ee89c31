#!/usr/bin/env bash
# Deploys EntraTrail to an AWS account, and looks after it there: see --help and docs/deploy.md.
# Works with bash 3.2 or newer. What needs more than a few lines of shell is a program in deploy/.
# A secret is never an argument of a process, nor part of a file that is written here.

set -euo pipefail

here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
readonly here
export AWS_PAGER="" SAM_CLI_TELEMETRY=0 PYTHONDONTWRITEBYTECODE=1

usage() {
    cat <<'HELP'
usage: ./deploy.sh [ACTION] [OPTIONS]

Actions (without one: deploy, or bring an existing stack up to date)
  --check                 say in plain words what works and what does not
  --status                last runs, what is left, coverage, mails, alarms
  --run [FROM TO]         read what is due now, or the days FROM up to, not including, TO
                          (2026-11-20 2026-11-23)
  --update-secret         store a new client secret (or certificate) and try it
  --test-mail             send a mail to the alarm address
  --self-test             try in the account what no emulator can promise (docs/first-account.md)
  --uninstall             remove everything but the archive and its key
  --help                  this text

Options of every action
  --stack NAME            name of the stack, its parameters and its functions   (entratrail)
  --region REGION         AWS region          (AWS_REGION, or what the AWS CLI is set to)
  --yes                   ask nothing; missing values are errors
  --env-file FILE         options from a file: lines such as EMAIL=me@example.com, HistoryDays=7

Options of deploying
  --email ADDRESS         who is told when something is wrong
  --tenant-id ID          directory (tenant) id of the app registration
  --client-id ID          application (client) id of the app registration
  --credential KIND       secret, certificate or federated                      (secret)
  --secret-file FILE      holds the client secret, or PEM of certificate and key; otherwise it is
                          asked for, or read from a pipe
  --secret-expires DAY    the day on which the client secret expires (2027-05-31): a mail comes
                          21 days before
  --set NAME=VALUE        any parameter of template.yaml (Evidence=kms); may be repeated
  --package FOLDER|ZIP    take built functions, as a release has them, instead of building them
  --enable-federation     with --credential federated: let this AWS account give out tokens

Options of --uninstall
  --delete-archive NAME   delete the archive, and the key if the stack made it; NAME must be the
                          name of the bucket
  --bypass-object-lock    delete it although Object Lock (governance mode) protects it

Exit status: 0 done; 1 it failed, and the last line says why; 2 wrong use, nothing was changed.
HELP
}

say() { echo "$*"; }
note() { echo "deploy.sh: $*" >&2; }
# Wrong use; nothing was changed.
refuse() { note "$*" && exit 2; }
# Something went wrong on the way.
fail() { note "$*" && exit 1; }

# --- what was asked -------------------------------------------------------------------------------

action=deploy stack=entratrail region="" email="" tenant_id="" client_id="" credential=""
secret_file="" secret_expires="" package="" run_from="" run_to="" delete_archive=""
asks=true enables_federation=false bypasses_lock=false has_sums=true
overrides=()

needs_value() {
    [[ $# -ge 2 && "$2" != --* ]] || refuse "$1 needs a value; see --help"
    [[ "$2" != *$'\n'* ]] || refuse "the value of $1 has more than one line"
}

set_action() {
    [[ "$action" == deploy ]] || refuse "--$action and --$1 are two actions; choose one"
    action="$1"
}

parse_arguments() {
    while (($# > 0)); do
        case "$1" in
        --help | -h) usage && exit 0 ;;
        --check | --status | --update-secret | --test-mail | --self-test | --uninstall)
            set_action "${1#--}" ;;
        --run)
            set_action run
            if [[ $# -ge 2 && "$2" != --* ]]; then
                [[ $# -ge 3 && "$3" != --* ]] ||
                    refuse "--run needs both days, FROM and TO, or none"
                run_from="$2" run_to="$3" && shift 2
            fi
            ;;
        --yes) asks=false ;;
        --enable-federation) enables_federation=true ;;
        --bypass-object-lock) bypasses_lock=true ;;
        --env-file) needs_value "$@" && read_env_file "$2" && shift ;;
        --secret | --client-secret | --secret=* | --client-secret=*)
            refuse "a secret is never an argument, because every process list shows it: pipe it," \
                "or use --secret-file" ;;
        --stack | --region | --email | --tenant-id | --client-id | --credential | --secret-file | \
            --secret-expires | --package | --binaries | --delete-archive | --set)
            needs_value "$@" && set_option "$1" "$2" && shift ;;
        *) refuse_option "$1" ;;
        esac
        shift
    done
}

set_option() { # set_option NAME VALUE: an option as it is typed, or as a file names it
    case "$1" in
    --stack | STACK) stack="$2" ;;
    --region | REGION) region="$2" ;;
    --email | EMAIL) email="$2" ;;
    --tenant-id | TENANT_ID) tenant_id="$2" ;;
    --client-id | CLIENT_ID) client_id="$2" ;;
    --credential | CREDENTIAL) credential="$2" ;;
    --secret-file | SECRET_FILE) secret_file="$2" ;;
    --secret-expires | SECRET_EXPIRES) secret_expires="$2" ;;
    --package | PACKAGE) package="$2" has_sums=true ;;
    # The name of old: a build of one's own, which has no checksums.
    --binaries | BINARIES) package="$2" has_sums=false ;;
    --delete-archive) delete_archive="$2" ;;
    --set)
        [[ "$2" == *=* ]] || refuse "--set needs NAME=VALUE, and what follows it has no ="
        overrides+=("$2") ;;
    *) overrides+=("$1=$2") ;;
    esac
}

# What is no option may be a misplaced secret, so it is shown only where it looks like an option.
refuse_option() {
    [[ "${1%%=*}" =~ ^--?[a-z][a-z-]{0,30}$ ]] ||
        refuse "one of the arguments (${#1} characters) is no option; see --help"
    [[ "$1" != *=* ]] || refuse "\"${1%%=*}\" is an option without =, or none; see --help"
    refuse "\"$1\" is not an option; see --help"
}

# The file is read, not run. What it names, an option given after it changes.
read_env_file() {
    local name value lines
    need_tool python3 "install Python 3.8 or newer"
    lines="$(python3 "$here/deploy/settings.py" read "$1")" || exit "$?"
    while IFS='=' read -r name value; do
        [[ -z "$name" ]] || set_option "$name" "$value"
    done <<<"$lines"
}

# Everything that was asked for, as lines of NAME=value.
settings() {
    printf '%s\n' "STACK=$stack" "REGION=$region" "EMAIL=$email" "TENANT_ID=$tenant_id" \
        "CLIENT_ID=$client_id" "CREDENTIAL=$credential" "SECRET_EXPIRES=$secret_expires" \
        "RUN_FROM=$run_from" "RUN_TO=$run_to" ${overrides[@]+"${overrides[@]}"}
}

# What of it are parameters of the template.
template_settings() {
    printf '%s\n' ${overrides[@]+"${overrides[@]}"} ${email:+"AlarmEmail=$email"} \
        ${credential:+"Credential=$credential"} \
        ${secret_expires:+"CredentialExpires=$secret_expires"}
}

check_form() {
    [[ -z "$secret_file" || -r "$secret_file" ]] || refuse "the --secret-file cannot be read"
    [[ -z "$delete_archive" || "$action" == uninstall ]] ||
        refuse "--delete-archive belongs to --uninstall"
    [[ "$bypasses_lock" == false || -n "$delete_archive" ]] ||
        refuse "--bypass-object-lock belongs to --delete-archive"
    settings | python3 "$here/deploy/settings.py" check
}

# --- tools and identity ---------------------------------------------------------------------------

need_tool() { command -v "$1" >/dev/null || refuse "$1 is missing: $2"; }

check_tools() {
    need_tool aws "install the AWS CLI (https://aws.amazon.com/cli)"
    need_tool python3 "install Python 3.8 or newer"
    [[ ! "$(python3 --version 2>&1)" =~ ^Python\ (2|3\.[0-7]\.) ]] ||
        refuse "python3 is too old: install Python 3.8 or newer"
    [[ "$action" == deploy ]] || return 0
    need_tool sam "install the AWS SAM CLI (pip install aws-sam-cli)"
    need_tool curl "install curl"
    [[ "$credential" != certificate ]] ||
        need_tool openssl "install OpenSSL, which makes the certificate"
    [[ -z "$package" ]] || return 0
    need_tool cargo "install Rust (https://rustup.rs), or use --package"
    cargo lambda --version >/dev/null 2>&1 ||
        refuse "cargo-lambda is missing: pip install cargo-lambda ziglang, or use --package"
}

check_identity() {
    [[ -n "$region" ]] || region="${AWS_REGION:-${AWS_DEFAULT_REGION:-}}"
    [[ -n "$region" ]] || region="$(aws configure get region 2>/dev/null || true)"
    [[ -n "$region" ]] || refuse "no AWS region is set: use --region, e.g. --region eu-central-1"
    settings | python3 "$here/deploy/settings.py" check
    export AWS_REGION="$region" AWS_DEFAULT_REGION="$region"
    share_credentials
    account="$(python3 "$here/deploy/identity.py")"
}

# A profile with MFA would ask for a code at every call, and SAM behind its own output.
share_credentials() {
    local name value lines
    [[ -z "${AWS_ACCESS_KEY_ID:-}" ]] || return 0
    [[ -n "$(aws configure get mfa_serial 2>/dev/null || true)" ]] || return 0
    lines="$(aws configure export-credentials --format env-no-export)" ||
        refuse "the MFA profile gives no credentials: update the AWS CLI (1.29 or 2.13), or sign in"
    while IFS='=' read -r name value; do
        [[ "$name" != AWS_* ]] || export "$name=$value"
    done <<<"$lines"
    unset AWS_PROFILE AWS_DEFAULT_PROFILE
}

# --- questions ------------------------------------------------------------------------------------

ask() { # ask VARIABLE QUESTION OPTION: asks where there is somebody to answer
    local answer
    [[ -z "${!1}" ]] || return 0
    if [[ "$asks" != true || ! -t 0 ]]; then refuse "$3 is missing ($2)"; fi
    read -r -p "$2: " answer
    printf -v "$1" '%s' "$answer"
    check_form
}

agrees() {
    local answer
    [[ "$asks" == true ]] || return 0
    [[ -t 0 ]] || { note "nobody is there to answer; repeat with --yes" && return 1; }
    read -r -p "$1 [y/N] " answer
    [[ "$answer" == [yY]* ]]
}

# Leaves the secret in the variable `secret`: from the file, a pipe, or the keyboard without echo.
read_secret() {
    if [[ -n "$secret_file" ]]; then
        secret="$(<"$secret_file")"
    elif [[ ! -t 0 ]]; then
        secret="$(cat)"
    elif [[ "$asks" == true ]]; then
        read -r -s -p "Client secret (its value; it is not shown): " secret
        echo
    fi
    printf '%s' "$secret" | helper parameters check "client-$credential"
}

# --- deploying ------------------------------------------------------------------------------------

# A program of deploy/, for this stack; its refusals and failures end the script with their status.
helper() { python3 "$here/deploy/$1.py" --stack "$stack" "${@:2}"; }

deploy() {
    local has_stack=false architecture="" login_url="" stored="" database="" key=""
    local has_credential=false secret=""
    review
    [[ "$has_stack" == true ]] || ask email "Email address to tell when something is wrong" --email
    [[ "$stored" == *" tenant-id "* ]] || ask tenant_id "Directory (tenant) id" --tenant-id
    [[ "$stored" == *" client-id "* ]] || ask client_id "Application (client) id" --client-id
    check_tools
    [[ -z "$tenant_id" ]] || check_tenant
    [[ "$stored" != *" client-$credential "* ]] || has_credential=true
    if [[ "$credential" == secret && ("$has_credential" == false || -n "$secret_file") ]] ||
        [[ "$credential" == certificate && -n "$secret_file" ]]; then read_secret; fi
    if [[ "$has_stack" == false ]]; then # parameters of these names may be another program's
        printf '%s' "$tenant_id" | helper parameters check-new tenant-id
        printf '%s' "$client_id" | helper parameters check-new client-id
        [[ -z "$secret" ]] ||
            printf '%s' "$secret" | helper parameters check-new "client-$credential"
    fi
    [[ "$credential" != federated ]] || helper federation prepare "$enables_federation"
    make_package
    deploy_stack
    key="$(helper stack value KeyArn)"
    # `printf` is part of bash, so no process list shows what it prints.
    printf '%s' "$tenant_id" | helper parameters store tenant-id --key "$key"
    printf '%s' "$client_id" | helper parameters store client-id --key "$key"
    [[ -z "$secret" ]] ||
        printf '%s' "$secret" | helper parameters store "client-$credential" --key "$key"
    helper parameters rekey --key "$key"
    helper evidence --key "$key"
    helper subscriptions ensure
    case "$has_credential $credential$secret" in
    "false federated") helper federation print && helper functions await-credential ;;
    "false certificate") helper certificate --key "$key" && helper functions await-credential ;;
    esac
    helper functions try ||
        fail "the stack is there, but not everything works: put right what FAILED, and repeat this"
    helper functions run
    helper stack next "$has_stack" --region "$region"
}

# Looks at everything before anything is created.
review() {
    local name value
    template_settings | helper review --account "$account" --region "$region" >"$work/facts"
    while IFS='=' read -r name value; do
        printf -v "$name" '%s' "$value" # the variables of deploy
    done <"$work/facts"
    [[ -z "$database" ]] || overrides+=("DatabaseName=$database")
}

check_tenant() {
    local login status
    login="${login_url:-https://login.microsoftonline.com}"
    status="$(curl --silent --output /dev/null --max-time 20 --write-out '%{http_code}' \
        "$login/$tenant_id/v2.0/.well-known/openid-configuration" || true)"
    case "$status" in
    200) ;;
    400 | 404) refuse "Entra knows no tenant \"$tenant_id\": copy the directory (tenant) id from" \
        "the app registration's overview" ;;
    *) note "$login could not say whether the tenant exists (status $status); continuing" ;;
    esac
}

make_package() { # leaves template and programs in the folder $work, as SAM wants them
    local flag="--arm64" sums=()
    cp "$here/template.yaml" "$work/"
    if [[ -z "$package" ]]; then
        [[ "$architecture" == arm64 ]] || flag="--x86-64"
        say "Building the functions for $architecture; the first time takes some minutes"
        (cd "$here" && cargo lambda build --profile lambda --locked "$flag" \
            --lambda-dir "$work/built" --package sign-in-logs --package audit-logs \
            --package provisioning-logs --package findings) ||
            fail "the functions could not be built; the lines above say why"
        package="$work/built" has_sums=false
    fi
    [[ "$has_sums" == true ]] || sums=(--without-sums)
    python3 "$here/deploy/package.py" --architecture "$architecture" ${sums[@]+"${sums[@]}"} \
        -- "$package" "$work"
}

deploy_stack() {
    local line status=0 pairs=()
    while IFS= read -r line; do
        [[ -z "$line" ]] || pairs+=("${line%%=*}=\"${line#*=}\"")
    done < <(template_settings)
    helper stack clear-way
    say "Sending the functions to AWS, and asking what would change in the stack $stack"
    sam deploy --template-file "$work/template.yaml" --stack-name "$stack" --region "$region" \
        --resolve-s3 --capabilities CAPABILITY_IAM --no-confirm-changeset --no-execute-changeset \
        --no-fail-on-empty-changeset --no-progressbar --tags Application=EntraTrail \
        ${pairs[@]+--parameter-overrides "${pairs[@]}"} >"$work/sam.log" 2>&1 </dev/null || true
    helper changes list "$work/sam.log" || status=$?
    if ((status == 3)) && ! agrees "Some of what is there goes. Go on?"; then
        helper changes discard "$work/sam.log"
        refuse "nothing was done"
    fi
    ((status == 0 || status == 3)) || exit "$status"
    helper changes run "$work/sam.log"
}

# --- looking after a stack ------------------------------------------------------------------------

update_secret() {
    local key secret=""
    credential="$(helper stack value Credential)"
    [[ "$credential" != federated ]] ||
        refuse "the stack $stack is federated: there is no secret to update"
    key="$(helper stack value KeyArn)"
    if [[ "$credential" == certificate && -z "$secret_file" ]]; then
        need_tool openssl "install OpenSSL, which makes the certificate"
        helper certificate --key "$key" && helper functions await-credential
    else
        read_secret
        printf '%s' "$secret" | helper parameters store "client-$credential" --key "$key"
    fi
    helper functions try || fail "the new credential does not work yet; the lines above say why"
    [[ "$credential" != secret ]] ||
        say "To be reminded before it expires: ./deploy.sh --secret-expires DAY"
}

uninstall() {
    local question options=(--account "$account" --delete-archive "$delete_archive")
    [[ "$bypasses_lock" == false ]] || options+=(--bypass-object-lock)
    question="$(helper uninstall "${options[@]}" plan)"
    [[ "$asks" == true ]] || say "$question Yes, because of --yes."
    agrees "$question" || refuse "nothing was done"
    helper uninstall "${options[@]}" run
}

main() {
    parse_arguments "$@"
    check_tools
    check_form
    check_identity
    work="$(mktemp -d)"
    trap 'rm -rf "$work"' EXIT
    case "$action" in
    deploy) deploy ;;
    check) helper functions check ;;
    status) helper status ;;
    run) helper functions run ${run_from:+"$run_from" "$run_to"} ;;
    update-secret) update_secret ;;
    test-mail) helper subscriptions test ;;
    self-test) helper self_test --account "$account" ;;
    uninstall) uninstall ;;
    esac
}

main "$@"
