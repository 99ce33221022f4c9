import { phaseOutputMarker } from '../../api/phase-output.ts'
import { beginning, endOfGroup, quote, running } from './wrapper.ts'

/** All of stdout is kept up to this size; of a longer one its end, and the lines that hold markers. */
const recordBytes = 65_536
/** Lines with markers of a longer stdout: twice what a phase may report. */
const markersBytes = 1 << 20
/** Longer lines are cut for the programs that look for markers, so that their memory is bounded. */
const lineBytes = 600_000
/** What the fold of BusyBox can do: a longer line with a marker fails the phase as one that cannot be read. */
const shortLineBytes = 10_000

/** Where records may stand, in this order. */
const places = '"${TMPDIR:-}" /tmp /dev/shm /var/tmp /run'

/** Finds the record `$_hf_f`: sets `_hf_d` to its folder. Another user's folder of that name is not looked at. */
const findRecord = `_hf_d=
for _hf_s in ${places}; do
if [ -n "$_hf_s" ] && [ -O "$_hf_s/.holdfast" ] && [ -f "$_hf_s/.holdfast/$_hf_f.p" ]; then _hf_d=$_hf_s/.holdfast; break; fi
done
`

/**
 * `_hf_born pid` sets `_hf_b` to the time at which that process started; `_hf_lives`: the wrapper of `.p` is still there; `_hf_quell` ends
 * its command, again if that came before it had begun; `_hf_stop` also waits a little for the wrapper, which writes its last files.
 */
const lives = `_hf_born() {
_hf_b=
{ IFS= read -r _hf_a <"/proc/$1/stat"; } 2>/dev/null || return 1
set -- \${_hf_a##*) }
shift 19
_hf_b=$1
}
_hf_lives() { _hf_born "$_hf_i" && [ "$_hf_b" = "$_hf_z" ]; }
_hf_nap() { sleep 0.2 2>/dev/null || sleep 1; }
_hf_quell() {
_hf_n=0
while [ ! -e "$_hf_f.x" ] && [ $_hf_n -lt 5 ] && kill -0 $_hf_w 2>/dev/null; do
_hf_end
_hf_nap
_hf_n=$((_hf_n + 1))
done
}
_hf_stop() {
_hf_w=$_hf_i
_hf_quell
_hf_n=0
while _hf_lives && [ $_hf_n -lt 15 ]; do
_hf_nap
_hf_n=$((_hf_n + 1))
done
}
`

/** Removes the record, and those that nobody came back for in a day; a program is started for these only when others are there. */
const remove = `_hf_remove() {
rm -f "$_hf_f".?
for _hf_t in "$_hf_d"/*.p; do
[ -f "$_hf_t" ] || return 0
for _hf_t in $(find "$_hf_d" -name '*.p' -mtime +0 2>/dev/null); do
IFS=' ' read -r _hf_i _hf_z _hf_a <"$_hf_t"
_hf_lives || rm -f "\${_hf_t%.p}".?
done
return 0
done
}
`

/**
 * Claims the record: `_hf_m` is `k` then. The umask of the command is read from /proc, since `$(umask)` is a process. Descriptors are
 * opened by `command exec`, with which a refusal does not end the shell.
 */
const claim = `if [ -z "$_hf_d" ] && [ -p /proc/self/fd/1 ] && [ -p /proc/self/fd/2 ] && _hf_born $$ \\
&& command -v tee >/dev/null && command -v dd >/dev/null && command -v cat >/dev/null && command -v rm >/dev/null \\
&& command exec 7>&2 && { command exec 8</proc/self/fd/7; } 2>/dev/null && { command exec 9</proc/self/fd/1; } 2>/dev/null; then
{ IFS= read -r _hf_a; IFS='	 ' read -r _hf_a _hf_u; } </proc/self/status
[ "$_hf_a" = Umask: ] || _hf_u=$(umask)
umask 077
for _hf_s in ${places}; do
[ -n "$_hf_s" ] && [ -d "$_hf_s" ] && [ -w "$_hf_s" ] || continue
_hf_d=$_hf_s/.holdfast
[ -d "$_hf_d" ] || mkdir -m 700 "$_hf_d" 2>/dev/null
if [ ! -L "$_hf_d" ] && [ -O "$_hf_d" ]; then
set -C
{ printf '%s %s %s\\n' $$ $_hf_b $_hf_k >"$_hf_d/$_hf_f.p"; } 2>/dev/null && _hf_m=k
set +C
if [ $_hf_m = k ] || [ -f "$_hf_d/$_hf_f.p" ]; then break; fi
fi
_hf_d=
done
umask "$_hf_u"
fi
`

/**
 * Waits for the end of a command that an earlier exec runs, and prints its record. Its readers are killed twice: a child that was forked just
 * now has still the trap of its parent, which swallows the first signal, and would be waited for as long as the pipe lives.
 */
const attach = `_hf_t=0
until IFS=' ' read -r _hf_i _hf_z _hf_o <"$_hf_f.p" && [ -n "$_hf_o" ]; do
_hf_t=$((_hf_t + 1))
[ $_hf_t -lt 10 ] || break
_hf_nap
done
if [ ! -e "$_hf_f.x" ] && ! _hf_lives && [ ! -e "$_hf_f.x" ]; then
printf '%s+%sl;' $_hf_k $$
IFS= read -r _hf_a
[ "$_hf_a" != ok ] || _hf_remove
exit 0
fi
printf '%s+%sa%s;' $_hf_k $$ $_hf_o
exec 3<&0 4>&1 7>&2 2>/dev/null
{
trap : TERM
cat </proc/$_hf_i/fd/9 >/dev/null 3<&- 4>&- 7>&- &
_hf_1=$!
cat </proc/$_hf_i/fd/8 >/dev/null 3<&- 4>&- 7>&- &
_hf_2=$!
_hf_t=0
while [ -e "$_hf_f.p" ] && [ ! -e "$_hf_f.c" ] && _hf_lives; do
_hf_nap
_hf_t=$((_hf_t + 1))
if [ $_hf_t = 100 ]; then _hf_t=0; echo || break; fi
done
kill $_hf_1 $_hf_2
_hf_nap
kill $_hf_1 $_hf_2
wait $_hf_1 $_hf_2
_hf_c=137
if [ -e "$_hf_f.x" ]; then IFS= read -r _hf_c <"$_hf_f.x"; fi
if [ -s "$_hf_f.e" ]; then cat "$_hf_f.e" >&7; fi
if [ -s "$_hf_f.l" ]; then cat "$_hf_f.m" "$_hf_f.l" >&4; else cat "$_hf_f.o" >&4; fi
printf '%s=%s;' $_hf_o $_hf_c >&7
printf '%s=%s;' $_hf_o $_hf_c >&4
} | {
trap : TERM
exec <&3
while IFS= read -r _hf_a; do
case $_hf_a in
ok) exit 0 ;;
kill) _hf_stop; exit 0 ;;
esac
done
exit 1
}
[ $? != 0 ] || _hf_remove
exit 0
`

/** Runs the command; the last half of the pipeline says by its exit code whether the record may go. */
const keep = `printf '%s+%sk;' $_hf_k $$
exec 3<&0 4>&1 7>&2 2>/dev/null
{
trap : TERM
( exec "$@" </dev/null 2>&7 3<&- 4>&- 7>&- 8<&- 9<&- )
_hf_c=$?
umask 077
printf '%s=%s;' $_hf_k $_hf_c >&7
printf '%s=%s;' $_hf_k $_hf_c
echo $_hf_c >"$_hf_f.x"
} | {
trap '' TERM PIPE
umask 077
read -r _hf_a _hf_b </proc/self/stat
echo $_hf_a >"$_hf_f.t"
exec tee /proc/self/fd/4 3<&- 7>&-
} | {
trap '' TERM PIPE
umask 077
exec 3<&- 4>&- 7>&-
case $(exec dd bs=${recordBytes} count=1 iflag=fullblock of="$_hf_f.o" 2>&1) in
0+*) ;;
*)
_hf_a='fold -b -w ${lineBytes}'
$_hf_a </dev/null || _hf_a='fold -b -w ${shortLineBytes}'
command -v fold >/dev/null || _hf_a=cat
cat "$_hf_f.o" - | { tee /proc/self/fd/5 | $_hf_a | grep -a -F '${phaseOutputMarker}' | tail -c ${markersBytes} >"$_hf_f.m"; } 5>&1 | tail -c ${recordBytes} >"$_hf_f.l"
: >"$_hf_f.o"
;;
esac
: >"$_hf_f.c"
} | {
trap : TERM
exec <&3
while IFS= read -r _hf_a; do
case $_hf_a in
ok) [ -e "$_hf_f.c" ] || { read -r _hf_t <"$_hf_f.t" && kill -KILL $_hf_t; }; exit 0 ;;
kill) _hf_quell; exit 0 ;;
esac
done
umask 077
exec >/dev/null 4>&- 7>&-
cat <&9 &
_hf_1=$!
while :; do
_hf_a=$_hf_b
_hf_b=$(exec dd bs=${recordBytes} count=1 <&8) || break
[ -n "$_hf_b" ] || break
printf '%s%s\\n' "$_hf_a" "$_hf_b" >"$_hf_f.e"
done &
_hf_2=$!
_hf_t=0
while [ -e "$_hf_f.p" ] && [ ! -e "$_hf_f.c" ]; do
if [ -e "$_hf_f.x" ]; then
_hf_t=$((_hf_t + 1))
[ $_hf_t != 15 ] || { read -r _hf_a <"$_hf_f.t" && kill -KILL $_hf_a; }
fi
_hf_nap
done
_hf_orphans $_hf_2
kill $_hf_1
wait $_hf_1 $_hf_2
exit 1
}
[ $? = 0 ] || exit 0
set -- "$_hf_d"/*.p
[ $# != 1 ] || exec rm -f "$_hf_f".?
_hf_remove
exit 0
`

/** Ends the children of a process that is itself to end by that. */
const orphans = `_hf_orphans() {
for _hf_a in /proc/[0-9]*/stat; do
{ IFS= read -r _hf_s <"$_hf_a"; } 2>/dev/null || continue
_hf_a=\${_hf_a#/proc/}
set -- $1 \${_hf_a%/stat} \${_hf_s##*) }
[ "$4" != $1 ] || kill $2
done
}
`

/**
 * The shell program around a command that must run exactly once, whatever becomes of us. The command goes on when the connection is gone,
 * and its record stays in the container until it is released: in a folder `.holdfast` (0700) of the first of $TMPDIR, /tmp, /dev/shm,
 * /var/tmp and /run that can be written, as files (0600) of the name that the first line of stdin gives:
 *
 * | file | holds |
 * | --- | --- |
 * | `.p` | pid of the wrapper, its start time, nonce. Made with O_EXCL before the command starts: whoever makes it runs the command |
 * | `.o` | stdout and the end marker, if that is not more than 64 KiB |
 * | `.l` `.m` | of a longer stdout: the last 64 KiB with the end marker; the lines that hold output markers |
 * | `.e` | the last one or two pieces of stderr after the connection was gone, as far as the runtime left them |
 * | `.x` | exit code: the command has ended |
 * | `.c` | nothing: the record is whole |
 * | `.t` | pid of the relay, for when something that the command left behind keeps its stdout open |
 *
 * Header words beside those of wrapper.ts: `k` this exec runs the command; `a<nonce>` an earlier one did: its record follows once the
 * command ends, with the marker of that nonce; `l` there is a record, but its command is gone without an exit code; `n` an earlier attempt
 * may have run the command, and there is no record here because none can be kept. A first attempt goes on as mode `o` then.
 *
 * What containerd does when the client is killed (tried): stdin ends at once, nobody is signalled, the runtime reads on for some 100 KB and
 * never again, so that a command that prints blocks for ever. Hence the relay (`tee`, deaf to TERM and PIPE): it hands a copy to the
 * recorder first; and when the connection is gone `cat` empties the pipe, which Linux lets us open for reading by /proc. That is done at
 * the start, so nobody ever meets a broken pipe.
 *
 * Stderr ends with the marker too, since nothing else says that all of it has arrived while the wrapper waits to be released.
 *
 * Processes beside the command: as many shells as in mode `o` and one more, `tee`, `dd`; `rm` takes the place of the shell.
 */
export const keptBootstrap = `${beginning}${lives}${remove}${orphans}_hf_m=o
${findRecord}${claim}if [ -n "$_hf_d" ]; then
_hf_f=$_hf_d/$_hf_f
if [ $_hf_m != k ]; then
${attach}fi
${keep}fi
if [ $_hf_r = 1 ]; then
printf '%s+%sn;' $_hf_k $$
IFS= read -r _hf_a
exit 0
fi
exec 7>&- 8<&- 9<&-
${running}`

/** Ends the command of a record and removes it: `sh -c … sh name graceSeconds`. Nothing there is success. */
export const keptEnd = `${endOfGroup}${lives}${remove}_hf_f=$1 _hf_g=$2
${findRecord}[ -n "$_hf_d" ] || exit 0
_hf_f=$_hf_d/$_hf_f
IFS=' ' read -r _hf_i _hf_z _hf_o <"$_hf_f.p"
if _hf_lives; then _hf_stop; fi
_hf_remove
exit 0
`

export interface KeptPreamble {
  /** 32 hex digits that the command never sees while it runs. */
  readonly nonce: string
  /** Of the record: letters, digits and dashes. */
  readonly name: string
  /** An earlier attempt may have started the command. */
  readonly again: boolean
  readonly command: readonly string[]
  readonly killGraceSeconds: number
}

/** The first line of stdin. */
export function renderKeptPreamble({ nonce, name, again, command, killGraceSeconds }: KeptPreamble): string {
  const argv = command.map(quote).join(' ')
  return `_hf_k=${nonce} _hf_f=${name} _hf_r=${again ? 1 : 0} _hf_g=${killGraceSeconds}; set -- ${argv}\n`
}
