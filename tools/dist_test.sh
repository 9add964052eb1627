#!/usr/bin/env bash
# Evaluate on several devices: tools/dist_test.sh CONFIG CHECKPOINT DEVICES [flags of test.py]
# More machines: set NNODES, NODE_RANK, MASTER_ADDR and MASTER_PORT on each.
set -euo pipefail
CONFIG=$1
CHECKPOINT=$2
DEVICES=$3
exec python -m torch.distributed.run \
  --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" \
  --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${MASTER_PORT:-29500}" \
  --nproc_per_node="$DEVICES" \
  "$(dirname "$0")/test.py" "$CONFIG" "$CHECKPOINT" --launcher pytorch "${@:4}"
