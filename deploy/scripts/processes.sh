# shellcheck shell=bash
# Sourced. Starting, watching and stopping of background processes, each by its own id.

background_pids=()

# remember PID: stop_background will end it.
remember() { background_pids+=("$1"); }

alive() { kill -0 "$1" 2>/dev/null; }

# stop_process PID [SECONDS]: asks with SIGTERM, waits (longer than a service gives its requests in flight), and
# kills what does not end. Gives the exit status of the process.
stop_process() {
  local pid=$1 tenths=$((${2:-40} * 10))
  alive "$pid" && kill -TERM "$pid" 2>/dev/null
  while alive "$pid" && [ "$tenths" -gt 0 ]; do
    sleep 0.1
    tenths=$((tenths - 1))
  done
  alive "$pid" && kill -KILL "$pid" 2>/dev/null
  wait "$pid" 2>/dev/null
}

# stop_background: ends everything that was remembered, the last first.
stop_background() {
  local at
  for ((at = ${#background_pids[@]} - 1; at >= 0; at--)); do
    stop_process "${background_pids[at]}" || true
  done
  background_pids=()
}

# in_group COMMAND…: runs a command in a process group of its own and waits for it, so that an interrupted script can end
# the whole group (`stop_group`): cargo does not pass signals on to the tests that it runs.
group_pid=
in_group() {
  set -m
  "$@" </dev/null &
  group_pid=$!
  set +m
  local status=0
  wait "$group_pid" || status=$?
  group_pid=
  return "$status"
}

stop_group() {
  [ -n "$group_pid" ] || return 0
  kill -TERM -- "-$group_pid" 2>/dev/null || true
  wait "$group_pid" 2>/dev/null || true
  group_pid=
}

port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port: a port below the range from which the system picks ports for outgoing connections.
free_port() {
  local port
  while :; do
    port=$((10000 + RANDOM % 20000))
    port_taken "$port" || break
  done
  printf '%s\n' "$port"
}

# http_status PORT PATH: the status of a GET, 000 when nobody answers. Plain bash: a fresh machine may have no curl.
http_status() {
  local line
  {
    exec 3<>"/dev/tcp/127.0.0.1/$1" || { printf '000\n'; return 0; }
  } 2>/dev/null
  printf 'GET %s HTTP/1.1\r\nHost: localhost:%s\r\nConnection: close\r\n\r\n' "$2" "$1" >&3 2>/dev/null || true
  IFS=' ' read -r -t 5 _ line _ <&3 || line=000
  exec 3<&- 3>&-
  printf '%s\n' "${line:-000}"
}

# wait_ready PID PORT SECONDS: until /readyz answers 200. Fails when the process ends first or the time is up.
wait_ready() {
  local pid=$1 port=$2 tenths=$(($3 * 10))
  while [ "$(http_status "$port" /readyz)" != 200 ]; do
    alive "$pid" || return 1
    tenths=$((tenths - 1))
    [ "$tenths" -gt 0 ] || return 1
    sleep 0.1
  done
}
