#!/bin/sh
# The first process of a node: runs in fresh network, mount and pid namespaces, makes them a place where Kubernetes can
# live, and becomes `pause`, whose end ends everything in there. Called by space.ts as `node.sh STATE PAUSE`.
set -eu
state=$1
pause=$2

# The kubelet shares mounts with containers; nothing of it reaches the machine, whose mounts are another namespace's.
mount --make-rshared /

# The machine's view of pids stays readable in here, so that each process can leave its pid as the machine counts it.
mkdir -p "$state/hostproc"
mount --bind /proc "$state/hostproc"
mount --make-private "$state/hostproc"
mount -t proc proc /proc

# Folders that programs have fixed in them, each ours for this node only.
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/netns /var/lib/cni /var/log/containers /tmp/hostpath_pv "$state/volumes"
mount -t tmpfs tmpfs /var/lib/cni
mount -t tmpfs tmpfs /var/log/containers
mount --bind "$state/volumes" /tmp/hostpath_pv

ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward

read -r stat <"$state/hostproc/self/stat"
echo "$stat" >"$state/run/node.new"
mv "$state/run/node.new" "$state/run/node"
exec "$pause"
