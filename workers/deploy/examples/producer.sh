#!/bin/sh
# Sends a message with curl, through Flower's API; Flower answers with the message's id.
#
#   sh producer.sh merge merge_profiles '{"source_profile_ids": ["guest-1"], "target_profile_id": "p-9"}'
#
# It needs a Flower that may send, by `genesys-workers flower --allow-control`. Whoever has its
# password may also end workers and revoke messages: let services send by Redis instead, as a user of
# redis-acl.conf who can do nothing else.
set -eu

queue=$1 task=$2 arguments=$3

# By standard input: arguments of a program are for everybody on the machine to see.
printf 'user = "%s:%s"\n' "${FLOWER_USER:-admin}" "$FLOWER_PASSWORD" |
  curl --config - --silent --show-error --fail-with-body \
    --header 'Content-Type: application/json' \
    --data "{\"queue\": \"$queue\", \"kwargs\": $arguments}" \
    "${FLOWER_URL:-http://127.0.0.1:5555}/api/task/send-task/$task"
