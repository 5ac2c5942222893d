#!/bin/bash
# What one would look at on a host first, in sections. It reads only, and nothing secret may be in it: what looks like a
# secret is masked, as in the report of the host role ecs_agent.
section() {
  echo "== $1"
  shift
  timeout 10 "$@" 2>&1 | tail -n 40 | cut -c 1-300
}

look() {
  section cloud-init cloud-init status --long
  section init bash -c 'grep -E "Traceback|Failed to run module|Failed to start" /var/log/cloud-init.log'
  section config bash -c 'sed "s/#.*//" /etc/ecs/ecs.config'
  section units bash -c 'for unit in docker ecs amazon-ecs-volume-plugin; do
    echo "Id=$unit.service $(systemctl show --property ActiveState,SubState,Result,ExecMainStatus $unit | paste -sd " ")"
  done'
  section failed systemctl --failed --plain --no-legend
  section agent tail -n 40 /var/log/ecs/ecs-agent.log
  section agent tail -n 20 /var/log/ecs/ecs-init.log
  section agent journalctl --boot --output cat --lines 20 _SYSTEMD_UNIT=ecs.service
  section boot-report journalctl --boot --output cat --lines 40 _SYSTEMD_UNIT=ecs-boot-report.service
  # One that hangs still has its port, and the kernel takes the connection.
  section introspection bash -c 'timeout 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/51678 &&
    printf \"GET /v1/metadata HTTP/1.0\\r\\n\\r\\n\" >&3 && head -c 4 <&3" >/dev/null 2>&1
    [ $? = 124 ] && echo "agent: silent at its own port 51678 for 5 s"'
  section docker docker info --format 'docker {{.ServerVersion}}'
  section plugins docker plugin ls --format 'plugin {{.Name}} enabled={{.Enabled}}'
  section volumes bash -c 'find /var/log/ecs/ecs-volume-plugin.log -mmin -60 -exec tail -n 20 {} +'
  # The kernel itself says nothing of a server that pauses before minutes are over.
  section mounts bash -c 'exec 2>/dev/null; while read -r what where kind _; do
      [[ $kind == *nfs* ]] || continue
      { timeout --signal KILL 5 stat --file-system "$where" >/dev/null
        [ $? = 137 ] && echo "volume $what at $where does not answer within 5 s"; } &
    done </proc/mounts; wait'
  section kernel bash -c 'journalctl --dmesg --since -1h --output cat |
    grep -E "Out of memory: Killed|nfs: server|No space left"'
  section disk df --local --output=pcent,target --type=xfs --type=ext4 --type=overlay
  section inodes df --local --output=ipcent,target --type=ext4
}

look | sed -E \
  's/((secret|passw|token|credential|authoriz)[a-z_-]*["'\'']? ?[:=] ?)[^,}]+/\1***/Ig; s/[A-Za-z0-9+\/=]{40,}|A[KS]IA[A-Z0-9]{16}/***/g'
