#!/usr/bin/env bash
# Builds longshore, shows it with `longshore demo`, and says how to serve. Called through
# with-docker.sh, which has made sure that a container engine answers.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --locked --release --bin longshore
target/release/longshore demo

cat <<'TEXT'

To serve:    make serve     (http://127.0.0.1:8327; starts the container engine if none answers
                             and leaves it running; Ctrl-C stops the server only)
To call it:  export AWS_ENDPOINT_URL_ECS=http://127.0.0.1:8327
             export AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any
             aws ecs list-tasks
TEXT
