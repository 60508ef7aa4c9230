#!/usr/bin/env bash
# The main job, end to end, in under four minutes: a baseline; a good canary that is promoted and a bad one that is rolled
# back, while load runs through HAProxy; the capacity of one instance; three reports. Everything is on loopback, on free
# ports, in a private folder that is removed at the end, also when it is interrupted. --keep leaves the folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

weir=$PWD/build/weir
app=$PWD/build/weir-demo-app
if [ ! -x "$weir" ] || [ ! -x "$app" ]; then
	echo "demo: ./dev demo builds what this needs" >&2
	exit 1
fi

keep=no
[ "${1:-}" = --keep ] && keep=yes
began=$SECONDS
folder=$(mktemp -d "${TMPDIR:-/tmp}/weir-demo.XXXXXX")
export XDG_STATE_HOME=$folder/state
apps=()
traffic=
interrupted=

clean_up() {
	local status=$? file
	trap - EXIT INT TERM
	[ -z "$traffic" ] || kill "$traffic" 2>/dev/null || true
	# The balancer outlives weir by design, so it is ended by its pid file; what still runs of weir ends with it.
	while read -r file; do
		kill "$(head -n 1 "$file")" 2>/dev/null || true
	done < <(find "$folder" -name '*.pid')
	[ "${#apps[@]}" -eq 0 ] || kill "${apps[@]}" 2>/dev/null || true
	wait 2>/dev/null || true
	if [ "$keep" = yes ]; then
		echo "demo: kept in $folder; XDG_STATE_HOME=$XDG_STATE_HOME build/weir report rollout last"
	else
		rm -rf "$folder"
	fi
	exit "$status"
}
trap clean_up EXIT
trap 'interrupted=yes; exit 130' INT
trap 'exit 143' TERM

step() { printf '\n\033[1m[%3d s] %s\033[0m\n\n' $((SECONDS - began)) "$*"; }

# expect STATUS COMMAND...: the demo stops at the first answer that is not what it shows.
expect() {
	local wanted=$1 status=0
	shift
	"$@" || status=$?
	[ "$status" -eq "$wanted" ] && return 0
	[ -z "$interrupted" ] || exit 130
	echo "demo: exit status $status where $wanted was expected: $*" >&2
	exit 1
}

# Measuring on a busy machine may be refused (status 4): that is said above, and the demo goes on.
measure() {
	local status=0
	"$@" || status=$?
	case $status in
	0 | 4) return 0 ;;
	*)
		echo "demo: exit status $status: $*" >&2
		exit 1
		;;
	esac
}

start_app() { # NAME OPTION...
	local name=$1
	shift
	"$app" --listen 127.0.0.1:0 --port-file "$folder/$name.port" --quiet "$@" &
	apps+=($!)
	until [ -s "$folder/$name.port" ]; do
		kill -0 "${apps[-1]}" 2>/dev/null || { echo "demo: the demo application $name does not start" >&2; exit 1; }
		sleep 0.02
	done
}

port_of() { cat "$folder/$1.port"; }

free_port() {
	/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Load through the balancer as soon as it listens; ends with the demo.
start_traffic() {
	(
		until (exec 3<>"/dev/tcp/127.0.0.1/$listen") 2>/dev/null; do sleep 0.1; done
		TARGET=http://127.0.0.1:$listen exec "$weir" load run demo/traffic.json --no-store --quiet >"$folder/traffic.txt" 2>&1
	) &
	traffic=$!
}

roll_out() { # VERSION APP
	sed -e "s/@LISTEN@/$listen/; s/@STABLE@/$(port_of stable)/; s/@CANARY@/$(port_of "$2")/; s/@VERSION@/$1/" \
		demo/rollout.json >"$folder/$1.json"
	"$weir" canary run "$folder/$1.json" --events "$folder/$1.events"
}

step "1.4.1 is in production: measure its five flows, and keep the run as the baseline"
start_app stable --version-name 1.4.1 --latency 8ms --error-rate 0.2% --workers 24 --seed 1
measure env TARGET="http://127.0.0.1:$(port_of stable)" "$weir" load run demo/flows.json
if ! baseline=$("$weir" baseline set five-flows@1.4.1 2>&1); then
	echo "$baseline; once more:"
	measure env TARGET="http://127.0.0.1:$(port_of stable)" "$weir" load run demo/flows.json
	baseline=$("$weir" baseline set five-flows@1.4.1 2>&1) || true
fi
echo "$baseline"

listen=$(free_port)
start_traffic

step "Roll out 1.4.2, a good version: 10, 50, 100 % of the users, on evidence"
start_app good --version-name 1.4.2 --latency 8ms --error-rate 0.2% --workers 24 --seed 2
expect 0 roll_out 1.4.2 good

step "Roll out 1.4.3, a bad version: 1.6 times slower, and 4 % errors. Nobody is watching"
start_app bad --version-name 1.4.3 --latency 8ms --latency-factor 1.6 --error-rate 4% --workers 24 --seed 3
expect 5 roll_out 1.4.3 bad

kill "$traffic" 2>/dev/null || true
wait "$traffic" 2>/dev/null || true
traffic=

step "How much can one instance take? Search the highest load with p95 below 60 ms"
start_app one --version-name 1.4.1 --latency 8ms --workers 4 --seed 4
measure env TARGET="http://127.0.0.1:$(port_of one)" "$weir" load search demo/flows.json \
	--slo 'p95(response_time) < 60ms' --start 80 --trial 4s --warmup 1s --confirm 12s

step "The three reports"
"$weir" report load last
"$weir" report rollout last
"$weir" report capacity last

step "Done. The record of everything that happened is sound"
"$weir" audit verify
