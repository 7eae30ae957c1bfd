#!/usr/bin/env bash
# Brings up the real parts the tests run against: a Docker engine and a base image that carries Python, pip,
# gcc and git. Idempotent; safe to run again. Debian as root: everything is installed. Elsewhere: says what is missing.
#
#   tests/environment/up.sh [engine] [browser] [profilers] [postgres] [tools] [languages]     (default: engine)
set -euo pipefail

base_image=${BISECTOR_TEST_BASE_IMAGE:-python:3.11-slim}
state=${BISECTOR_TEST_ENVIRONMENT_DIR:-/var/tmp/bisector-test-environment}
mkdir -p "$state"

say() { printf 'environment: %s\n' "$*" >&2; }

packages() {
    local missing=()
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        say "missing: ${missing[*]}. Install them with your package manager (here: not root on Debian)."
        return 1
    fi
    say "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$state/apt.log" 2>&1 ||
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$state/apt.log" 2>&1; } ||
        { tail -20 "$state/apt.log" >&2; return 1; }
}

engine_answers() { docker info >/dev/null 2>&1; }

engine() {
    if ! engine_answers; then
        packages docker.io iptables
        say "starting dockerd"
        # Its own session, so that it outlives the shell that started it; a stale pid file would keep it from starting.
        rm -f /var/run/docker.pid /var/run/docker/containerd/containerd.pid
        setsid dockerd >"$state/dockerd.log" 2>&1 </dev/null &
        for _ in $(seq 1 60); do engine_answers && break; sleep 0.5; done
        engine_answers || { tail -20 "$state/dockerd.log" >&2; say "dockerd does not answer"; return 1; }
    fi
    docker image inspect "$base_image" >/dev/null 2>&1 || base_image_from_debian
    # `docker info` is not enough: only a real step with the network shows that builds work.
    docker run --rm "$base_image" python3 -c 'import socket; socket.getaddrinfo("localhost", 80)' >/dev/null
    say "engine $(docker version --format '{{.Server.Version}}'), base image $base_image"
}

# No image registry is needed: the base image is a Debian root file system made here, with this machine's
# certificate bundle and pip settings, so that `pip install` inside a build reaches what it reaches outside.
base_image_from_debian() {
    packages debootstrap ca-certificates
    local root=$state/rootfs
    rm -rf "$root"
    say "making $base_image from Debian packages (about a minute)"
    debootstrap --variant=minbase \
        --include=python3,python3-pip,python3-venv,python-is-python3,ca-certificates,git,gcc,libc6-dev,make \
        bookworm "$root" >"$state/debootstrap.log" 2>&1 || { tail -20 "$state/debootstrap.log" >&2; return 1; }
    install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
    [ -f /etc/pip.conf ] && install -m 644 /etc/pip.conf "$root/etc/pip.conf"
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
    tar -C "$root" -c . | docker import --change 'ENV PIP_BREAK_SYSTEM_PACKAGES=1' - "$base_image" >/dev/null
    rm -rf "$root"
}

browser() { packages chromium chromium-driver; }

profilers() { packages linux-perf valgrind; }

# Benchmark and load tools whose results are read, and what moves a process's clock; those in Python come with the
# `dev` extra.
tools() { packages hyperfine wrk hey g++ libbenchmark-dev libfaketime; }

# Only the programs: the tests run servers of their own in temporary directories. The service that Debian would start
# for its own cluster is not wanted.
postgres() {
    [ -d /etc/postgresql-common ] || [ "$(id -u)" -ne 0 ] ||
        { mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf; }
    packages postgresql
}

# What the scenarios for other languages are built with; whatever is there already is taken.
languages() {
    local each
    for each in go:golang-go java:default-jdk-headless npm:npm cargo:cargo; do
        command -v "${each%%:*}" >/dev/null || packages "${each#*:}"
    done
}

for part in "${@:-engine}"; do
    case $part in
        engine | browser | profilers | postgres | tools | languages) "$part" ;;
        *) say "no such part: $part (engine, browser, profilers, postgres, tools, languages)"; exit 2 ;;
    esac
done
