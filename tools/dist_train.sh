#!/usr/bin/env bash
# Train on several devices of one machine or more: tools/dist_train.sh CONFIG DEVICES [flags of train.py]
# More machines: set NNODES, NODE_RANK, MASTER_ADDR and MASTER_PORT on each.
set -euo pipefail
CONFIG=$1
DEVICES=$2
exec python -m torch.distributed.run \
  --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" \
  --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${MASTER_PORT:-29500}" \
  --nproc_per_node="$DEVICES" \
  "$(dirname "$0")/train.py" "$CONFIG" --launcher pytorch "${@:3}"
