# Run in a one-off task that has the root of a volume's file system:
# restore-volume begin|settle|switch|back|remove|remove-restored ATTEMPT [PATH].
# What the site's containers see is the folder `data` of it; what is restored, and what was there before, lies beside in
# `berth-restore`, which none of them sees. All is moved by changes of names alone, within one file system. Each step writes
# down what it is at, so that one which was killed is gone on with by the same command.
set -eu
action=$1 attempt=${2:-} path=${3:-}
cd "${RESTORE_ROOT:-/file-system}"
umask 077
data=data room=berth-restore
beside=$room/beside/$attempt

write() { # $1: a file that is there as a whole or not at all, $2: its content
  printf '%s\n' "$2" >"$1.part"
  mv "$1.part" "$1"
}

sums() { # $1: a folder; the checksum of each file of it, or of the path that is meant
  (cd "$1" && if [ -e "./$path" ]; then find "./$path" -type f -exec sha256sum {} +; fi)
}

is_there() {
  [ -e "$1" ] || [ -L "$1" ]
}

move_all() { # $1: from, $2: to, $3: the new or the old, whichever goes aside where both have a name
  mkdir -p "$2"
  export to="$2" newer="$3" other
  other=$kept/meanwhile/$(date +%s)
  find "$1" -mindepth 1 -maxdepth 1 -exec sh -c '
    for each; do # a name may have anything in it, so a shell is given them, not lines
      name=${each##*/} place=$to
      if [ -e "$to/$name" ] || [ -L "$to/$name" ]; then
        mkdir -p "$other"
        if [ "$newer" = comes ]; then place=$other; else mv "$to/$name" "$other/$name" || exit 1; fi
      fi
      mv "$each" "$place/$name" || exit 1
    done' sh {} +
}

swap() { # $1: what comes into the volume; what is there goes to $kept
  if [ -z "$path" ]; then
    if [ ! -e "$kept/aside" ]; then
      move_all "$data" "$kept/files" comes
      : >"$kept/aside"
    fi
    move_all "$1" "$data" goes
    return
  fi
  if [ ! -e "$kept/aside" ]; then
    if is_there "$data/$path"; then
      mkdir -p "$(dirname "$kept/files/$path")"
      mv "$data/$path" "$kept/files/$path"
    fi
    : >"$kept/aside"
  fi
  is_there "$1/$path" || return 0
  if is_there "$data/$path"; then
    mkdir -p "$kept/meanwhile"
    mv "$data/$path" "$kept/meanwhile/$(date +%s)"
  fi
  come=$path # with the folders above it that are not there, which come as they were
  while [ "$(dirname "$come")" != . ] && [ ! -d "$data/$(dirname "$come")" ]; do come=$(dirname "$come"); done
  mv "$1/$come" "$data/$come"
}

make_kept() { # $1: the file that says which it is
  if [ ! -e "$1" ]; then
    number=1
    while [ -e "$room/kept/$number" ]; do number=$((number + 1)); done
    mkdir -p "$room/kept/$number/files"
    write "$room/kept/$number/path" "$path"
    write "$1" "$number"
  fi
  kept=$room/kept/$(cat "$1")
}

find_restored() { # the folder that was not there before, into $found
  for each in ./aws-backup-restore_*; do
    if [ ! -d "$each" ] || grep -qxF -e "$each" "$beside/before"; then continue; fi
    if [ -n "$found" ]; then
      echo "$found and $each have both come: somebody restores beside. Nothing was moved"
      exit 1
    fi
    found=$each
  done
}

await_restored() { # a client of NFS that has looked at the root before goes on showing what it knew, for a minute at most
  left=${RESTORE_PATIENCE:-90} found=
  find_restored
  while [ -z "$found" ] && [ "$left" -gt 0 ]; do
    sleep 2
    left=$((left - 2))
    find_restored
  done
}

case $action in
begin)
  mkdir -p "$beside"
  if [ ! -e "$beside/before" ]; then
    write "$beside/before" "$(find . -maxdepth 1 -name 'aws-backup-restore_*')"
  fi
  echo "ready for what AWS Backup restores"
  ;;

settle)
  if [ ! -e "$beside/from" ]; then
    await_restored
    if [ -z "$found" ]; then
      echo "AWS Backup says that it is through, and has made no folder aws-backup-restore_ in the file system"
      exit 1
    fi
    write "$beside/from" "$found"
  fi
  from=$(cat "$beside/from")
  if [ ! -e "$beside/files" ]; then
    if [ ! -d "$from/$data" ]; then
      echo "what AWS Backup has restored has no folder $data: $from"
      exit 1
    fi
    mv "$from/$data" "$beside/files"
  fi
  case $from in ./aws-backup-restore_*) rm -rf "$from" ;; esac # what else it has is no file of the volume
  if [ ! -e "$beside/sums" ]; then
    sums "$beside/files" >"$beside/sums.part"
    mv "$beside/sums.part" "$beside/sums"
  fi
  if [ ! -s "$beside/sums" ]; then
    echo "there is no file in what was restored${path:+, $path}"
    exit 1
  fi
  sums "$data" >"$beside/now"
  awk '{ name = substr($0, index($0, "  ") + 2) }
    FILENAME == ARGV[1] { of[name] = $1; all++; next }
    name in of { if (of[name] == $1) same++; else other++; next }
    { since++ }
    END {
      print all " files were read: " same + 0 " are as they are now, " other + 0 " have another content now, " \
        all - same - other " are not there now; " since + 0 " of now are not among them"
    }' "$beside/sums" "$beside/now"
  ;;

switch)
  if [ -e "$beside/switched" ]; then
    echo "was switched to already"
    exit 0
  fi
  make_kept "$beside/kept"
  swap "$beside/files"
  (cd "$data" && sha256sum -c "../$beside/sums" 2>/dev/null) | awk '
    / OK$/ { same++; next }
    { wrong++; if (wrong <= 20) print "differs or is missing: " $0 }
    END { print same + 0 " of " NR " files are in the volume, with the content of then"; exit wrong > 0 }'
  : >"$beside/switched"
  echo "what was there is in $kept of the file system"
  ;;

remove | remove-restored) # the second where AWS Backup is through, and nobody has moved what it has restored
  found=
  : "${attempt:?which one is not said}"
  if [ "$action" = remove-restored ] && [ -e "$beside/before" ] && [ ! -e "$beside/from" ]; then await_restored; fi
  if [ -e "$beside/from" ]; then found=$(cat "$beside/from"); fi
  case $found in ./aws-backup-restore_*) rm -rf "$found" ;; esac
  rm -rf "$beside"
  echo "nothing of what was restored is in the file system any more"
  ;;

back)
  if [ ! -e "$beside/kept" ]; then
    echo "there is nothing to go back to"
    exit 1
  fi
  old=$room/kept/$(cat "$beside/kept")
  if [ -e "$old/back" ]; then
    echo "the volume has what it had before already"
    exit 0
  fi
  path=$(cat "$old/path")
  make_kept "$old/to"
  swap "$old/files"
  : >"$old/back"
  echo "the volume has what it had before; what was restored is in $kept of the file system"
  ;;
esac
