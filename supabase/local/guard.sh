#!/bin/sh
# Ends the stack's programs however the stack itself died: its end of our standard input closes then.
# Lines: "add SIGNAL PID", "del PID", "dir PATH" (a throw-away directory), "done" (nothing left to do).
programs="" directories=""
while read -r verb first second; do
  case $verb in
    add) programs="$first:$second $programs" ;;
    del) programs=$(printf '%s\n' $programs | grep -v ":$first\$" | tr '\n' ' ') ;;
    dir) directories="$directories
$first${second:+ $second}" ;;
    done) exit 0 ;;
  esac
done

# A zombie has ended, even if nobody collects it.
alive() {
  kill -0 "$1" 2>/dev/null && ! grep -qs '^State:[[:space:]]*Z' "/proc/$1/status"
}

for program in $programs; do
  pid=${program#*:}
  kill -CONT "$pid" 2>/dev/null
  kill -"${program%%:*}" "$pid" 2>/dev/null
  tenths=0
  while alive "$pid" && [ $tenths -lt 100 ]; do
    sleep 0.1
    tenths=$((tenths + 1))
  done
  kill -KILL "$pid" 2>/dev/null
done

printf '%s\n' "$directories" | while read -r directory; do
  [ -n "$directory" ] && rm -rf -- "$directory"
done
exit 0
