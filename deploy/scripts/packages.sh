# shellcheck shell=bash
# Sourced. Installs missing Debian or Ubuntu packages, or says which ones to install.

# A toolchain that rustup installed is often missing from the PATH of a shell without a login.
[ -d "${CARGO_HOME:-$HOME/.cargo}/bin" ] && PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"

needed_packages=()

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "error: $*"
  exit 1
}

# need COMMAND PACKAGE…: remembers the packages when the command is absent.
need() {
  local command=$1
  shift
  command -v "$command" >/dev/null 2>&1 || needed_packages+=("$@")
}

# need_file FILE PACKAGE…: the same for a file.
need_file() {
  local file=$1
  shift
  [ -e "$file" ] || needed_packages+=("$@")
}

# install_needed: installs what need and need_file collected. As root, or with sudo (asking for a password only at a
# terminal); otherwise prints the command to run and fails.
install_needed() {
  [ ${#needed_packages[@]} -gt 0 ] || return 0
  local packages as_root=()
  mapfile -t packages < <(printf '%s\n' "${needed_packages[@]}" | sort -u)
  needed_packages=()
  local command="apt-get install -y --no-install-recommends ${packages[*]}"

  if ! command -v apt-get >/dev/null 2>&1; then
    fail "missing: ${packages[*]} (Debian's names). Install them with your system's package manager, then run this again."
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
      as_root=(sudo)
    else
      fail "missing packages, and no right to install them. Run this as root, then start again:

    apt-get update && $command
"
    fi
  fi

  say "installing: ${packages[*]}"
  "${as_root[@]}" apt-get update -q >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends "${packages[@]}" </dev/null >&2

  # Only the programs are wanted: what a package started as a system service is stopped again.
  if [ -d /run/systemd/system ]; then
    local package
    for package in "${packages[@]}"; do
      case $package in
        mariadb-server) "${as_root[@]}" systemctl disable --now mariadb >&2 || true ;;
        redis-server) "${as_root[@]}" systemctl disable --now redis-server >&2 || true ;;
      esac
    done
  fi
}

# need_build_packages: what the crates' build scripts call. A C compiler for SQLite, AWS-LC and OpenSSL; make and a whole
# perl (perl-base lacks the modules) for OpenSSL.
need_build_packages() {
  command -v cargo >/dev/null 2>&1 || fail "no Rust toolchain. Install one from https://rustup.rs, then run this again."
  need cc gcc libc6-dev
  need_file /usr/include/stdlib.h libc6-dev
  need make make
  perl -MFindBin -MIPC::Cmd -MFile::Compare -MFile::Copy -e1 2>/dev/null || needed_packages+=(perl)
  need_file /etc/ssl/certs/ca-certificates.crt ca-certificates
}

# need_node_packages: Node 18 or later with npm.
need_node_packages() {
  need node nodejs
  need npm npm
}
