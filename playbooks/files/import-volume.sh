# Run in a container of the site that has the volume: import-volume list|take|held|append|finish|end FOLDER …
# What is sent comes into a hidden folder of the volume first, which nobody else may read. A file takes its place once its
# checksum was read back there, by a change of its name alone: no visitor sees half a file, and no interrupted run leaves one.
set -eu
action=$1
cd "$2"
room=.import_data

clear() { # $1: what this has made itself
  rm -rf "$1"
}

settle() { # $1: new, or replace where a file may be in the place already
  export room taken="$1"
  find "$room/piece/files" -type f -exec sh -c '
    for each; do # a name may have anything in it, so a shell is given them, not lines
      there=./${each#"$room/piece/files/"}
      if [ -d "$there" ]; then echo "${there#./} is a folder on the volume, and a file here" >&2; exit 1; fi
      if [ "$taken" = new ] && [ -e "$there" ]; then echo "${there#./} has come to the volume meanwhile" >&2; exit 1; fi
      mkdir -p "${there%/*}" && mv -f "$each" "$there" || exit 1
    done' sh {} +
  clear "$room/piece"
}

umask 077
case $action in
list)
  find . \( -path "./$room" -o -path './.move-volume-*' \) -prune -o -type f -print | wc -l
  find . \( -path "./$room" -o -path './.move-volume-*' \) -prune -o -type f -exec sha256sum {} +
  exit 0
  ;;
held) # $3: checksum of a large file; how many bytes of it are there
  if [ -f "$room/$3" ]; then wc -c <"$room/$3"; else echo 0; fi
  exit 0
  ;;
end)
  clear "$room"
  exit 0
  ;;
esac

clear "$room/piece"
mkdir -p "$room/piece"
umask 022
case $action in
take) # $3: new or replace; a tar of `sums` and `files/…` comes in. Whoever unpacks it owns it, also root.
  tar -C "$room/piece" -xof -
  (cd "$room/piece/files" && sha256sum -c ../sums) >"$room/verdict" 2>&1 || {
    grep -v ': OK$' "$room/verdict" | head -n 5 >&2
    exit 1
  }
  settle "$3"
  ;;
append) # $3: checksum; what lacks of the file comes in
  cat >>"$room/$3"
  ;;
finish) # $3: checksum, $4: new or replace, $5: mode, $6: path
  found=$(sha256sum "$room/$3")
  if [ "${found%% *}" != "$3" ]; then
    rm -f "$room/$3"
    echo "$6 has another checksum there" >&2
    exit 1
  fi
  chmod "$5" "$room/$3"
  there="$room/piece/files/$6"
  mkdir -p "${there%/*}"
  mv "$room/$3" "$there"
  settle "$4"
  ;;
esac
