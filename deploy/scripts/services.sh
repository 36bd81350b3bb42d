# shellcheck shell=bash
# Sourced, after packages.sh and processes.sh. Throw-away MariaDB and Redis on loopback, in a directory of the caller's.
# They are remembered: stop_background ends them.

# start_mariadb DIRECTORY [OPTION…]: sets mariadb_port. The account root has no password; nothing but loopback is listened on.
start_mariadb() {
  local home=$1/mariadb pid attempt as=() options=("${@:2}")
  mkdir -p "$home"
  if [ "$(id -u)" -eq 0 ]; then
    # A server reachable without a password must not run as root.
    local user=mysql
    id "$user" >/dev/null 2>&1 || user=nobody
    chmod 755 "$1"
    chown "$user" "$home"
    as=(--user="$user")
  fi
  mariadb-install-db --no-defaults "${as[@]}" --datadir="$home/data" --auth-root-authentication-method=normal \
    --skip-test-db >"$home/install.log" 2>&1 || { tail -n 20 "$home/install.log" >&2; fail "mariadb-install-db failed"; }

  for attempt in 1 2 3 4 5; do
    mariadb_port=$(free_port)
    # Small, and without what only a long life needs. Nothing waits for the disk: a commit is handed to the operating
    # system before it is acknowledged, which is as good as durable while the machine itself stays up. Making and dropping
    # a database for every test is many times faster so.
    mariadbd --no-defaults "${as[@]}" --datadir="$home/data" --bind-address=127.0.0.1 --port="$mariadb_port" \
      --socket="$home/socket" --pid-file="$home/pid" --character-set-server=utf8mb4 --skip-log-bin --skip-name-resolve \
      --performance-schema=off --max-connections=12000 --max-prepared-stmt-count=1048576 \
      --innodb-buffer-pool-size=256M --innodb-log-file-size=64M \
      --innodb-flush-log-at-trx-commit=2 --innodb-flush-method=nosync --sync-frm=0 --debug-no-sync \
      "${options[@]}" </dev/null >"$home/log" 2>&1 &
    pid=$!
    remember "$pid"
    local tenths=300
    while alive "$pid" && [ "$tenths" -gt 0 ]; do
      if grep -q 'ready for connections' "$home/log"; then
        return 0
      fi
      sleep 0.1
      tenths=$((tenths - 1))
    done
    grep -q 'already in use' "$home/log" || break
    say "port $mariadb_port was taken meanwhile (attempt $attempt)"
  done
  tail -n 20 "$home/log" >&2
  fail "MariaDB did not start"
}

# start_redis DIRECTORY: sets redis_port. Keeps nothing on disk.
start_redis() {
  local home=$1/redis pid attempt
  mkdir -p "$home"
  for attempt in 1 2 3 4 5; do
    redis_port=$(free_port)
    redis-server --bind 127.0.0.1 --port "$redis_port" --dir "$home" --save '' --appendonly no --daemonize no \
      </dev/null >"$home/log" 2>&1 &
    pid=$!
    remember "$pid"
    local tenths=100
    while alive "$pid" && [ "$tenths" -gt 0 ]; do
      if grep -q 'Ready to accept connections' "$home/log"; then
        return 0
      fi
      sleep 0.1
      tenths=$((tenths - 1))
    done
    say "Redis did not start on port $redis_port (attempt $attempt)"
  done
  tail -n 20 "$home/log" >&2
  fail "Redis did not start"
}
