# shellcheck shell=bash
# Sourced, after packages.sh and processes.sh. Builds both services and starts them with demo data.

# build_services: sets idp_binary and api_binary. PROFILE is a cargo profile, release unless told.
build_services() {
  local profile=${PROFILE:-release}
  cargo build --locked --profile "$profile" -p tenantry-idp -p tenantry-api --bins </dev/null
  find_services "$profile"
}

# build_tested_services: the same with those that the tests run, so that nothing is built twice.
build_tested_services() {
  cargo test --locked --workspace --no-run </dev/null
  find_services dev
}

# find_services PROFILE
find_services() {
  local profile=$1 target directory
  target=$(cargo metadata --format-version 1 --no-deps --locked | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
  directory=$profile
  [ "$profile" = dev ] && directory=debug
  idp_binary=$target/$directory/tenantry-idp
  api_binary=$target/$directory/tenantry-api
}

# use_ports IDP API: for ports other than the services' defaults, sets the variables that say so. A variable that is set
# already stays.
use_ports() {
  [ "$1" = 8080 ] && [ "$2" = 8081 ] && return
  export TENANTRY_IDP__HTTP__LISTEN=${TENANTRY_IDP__HTTP__LISTEN:-127.0.0.1:$1}
  export TENANTRY_IDP__HTTP__PUBLIC_URL=${TENANTRY_IDP__HTTP__PUBLIC_URL:-http://localhost:$1}
  export TENANTRY_IDP__METRICS__LISTEN=${TENANTRY_IDP__METRICS__LISTEN:-127.0.0.1:$(($1 + 1000))}
  export TENANTRY_API__HTTP__LISTEN=${TENANTRY_API__HTTP__LISTEN:-127.0.0.1:$2}
  export TENANTRY_API__HTTP__PUBLIC_URL=${TENANTRY_API__HTTP__PUBLIC_URL:-http://localhost:$2}
  export TENANTRY_API__METRICS__LISTEN=${TENANTRY_API__METRICS__LISTEN:-127.0.0.1:$(($2 + 1000))}
  export TENANTRY_API__IDP__URL=${TENANTRY_API__IDP__URL:-http://localhost:$1}
  export TENANTRY_IDP__CONSOLE__URL=${TENANTRY_IDP__CONSOLE__URL:-http://localhost:$2}
  export TENANTRY_IDP__TOKENS__AUDIENCE=${TENANTRY_IDP__TOKENS__AUDIENCE:-http://localhost:$2}
}

# start_stack IDP_PORT API_PORT: in the current directory, under data/: migrates, makes the demo tenant once, starts both
# services and waits until they are ready. Sets idp_pid and api_pid; logs go to data/logs/.
start_stack() {
  (umask 077 && mkdir -p data/logs)
  "$idp_binary" migrate >&2
  "$idp_binary" demo --output data/demo.json >&2
  "$api_binary" migrate >&2
  register_management_client

  # The API learns of what happens to people, sessions and tenants.
  export TENANTRY_IDP__EVENTS__PUSH_URL=${TENANTRY_IDP__EVENTS__PUSH_URL:-http://localhost:$2/api/v1/security-events}

  "$idp_binary" serve </dev/null >data/logs/idp.log 2>&1 &
  idp_pid=$!
  remember "$idp_pid"
  "$api_binary" serve </dev/null >data/logs/api.log 2>&1 &
  api_pid=$!
  remember "$api_pid"
  wait_ready "$idp_pid" "$1" 60 || broken idp
  wait_ready "$api_pid" "$2" 60 || broken api
}

# register_management_client: makes the key with which the API manages tenants at the identity provider, and registers it
# there, unless that was done before.
register_management_client() {
  "$api_binary" keys client >data/api-client.jwks
  "$idp_binary" client list --tenant platform --limit 1000 --json 2>/dev/null | grep -q '"tenantry-api"' && return
  "$idp_binary" client list --tenant platform >/dev/null 2>&1 ||
    "$idp_binary" tenant create --slug platform --name Platform --platform >&2
  "$idp_binary" client create --tenant platform --name 'Tenantry API' --client-id tenantry-api --type machine \
    --auth-method private_key_jwt --jwks-file data/api-client.jwks \
    --scope 'admin.read admin.tenants admin.users admin.clients' >&2
}

# broken idp|api: a service ended, or never became ready. Shows the end of its log and fails.
broken() {
  say "tenantry-$1 does not run. The end of data/logs/$1.log:"
  tail -n 20 "data/logs/$1.log" >&2 || true
  exit 1
}

# demo_values NAME: every value of a string member of that name in data/demo.json, in order.
demo_values() {
  tr -d '\n' <data/demo.json | grep -o "\"$1\": *\"[^\"]*\"" | sed 's/^"[^"]*": *"\(.*\)"$/\1/'
}
