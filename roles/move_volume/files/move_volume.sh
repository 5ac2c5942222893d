# Run in a one-off task of the site: move_volume remember|compare FOLDER SENTINEL.
# `remember` writes a sentinel and the checksum of every file into a hidden folder of the volume, `compare` finds them
# again, however the volume is mounted. The web server must not serve the list: nobody else may read it, or guess its name.
set -eu
action=$1 sentinel=$3
cd "$2"
umask 077

if [ "$action" = remember ]; then
  rm -rf .move-volume-*
  folder=.move-volume-$sentinel
  mkdir "$folder"
  export list="$folder/unfinished"
  : >"$list"
  total=$(find . -path './.move-volume-*' -prune -o -type f -print | wc -l)
  export total
  echo "$total files to read, $(du -sk . | cut -f1) KiB"
  find . -path './.move-volume-*' -prune -o -type f -print0 |
    xargs -0 -r -n 500 sh -c 'sha256sum "$@" >>"$list" && echo "$(wc -l <"$list") of $total files read"' sh
  echo "$sentinel" >"$folder/sentinel"
  mv "$list" "$folder/checksums"
  exit 0
fi

folder=
for found in .move-volume-*; do
  [ -f "$found/checksums" ] && folder=$found
done
if [ -z "$folder" ] && [ -z "$sentinel" ]; then
  echo "No sentinel: nothing is being moved"
  exit 0
fi
if [ -z "$folder" ] || [ "${sentinel:-${folder#.move-volume-}}" != "$(cat "$folder/sentinel")" ]; then
  echo "The sentinel is not here: this is another file system, or another folder of it"
  exit 1
fi
# Files that came since are no loss. What sha256sum says of a missing file goes to its other output.
sha256sum -c "$folder/checksums" 2>/dev/null | awk '
  / OK$/ { same++; if (same % 500 == 0) { print same " files are the same"; fflush() }; next }
  { wrong++; if (wrong <= 20) print "differs or is missing: " $0 }
  END { print same + 0 " of " NR " files are the same"; exit wrong > 0 }'
rm -rf "$folder"
echo "The sentinel is removed: the volume can be written to"
