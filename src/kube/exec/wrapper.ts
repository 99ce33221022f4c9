/**
 * Shell functions that end the group of the wrapper `$_hf_w`: TERM, and after `$_hf_g` seconds KILL to what is left of it, but for the
 * wrapper's own shells (main and its two children). They must end by themselves: a child whose parent was killed with it goes to
 * process 1 of the container, and a PostgreSQL that is process 1 takes a child that a signal ended for a crash of its own, ends
 * every connection and recovers. Where there is no /proc the whole group is killed.
 */
export const endOfGroup = `_hf_others() {
_hf_o=
[ -r /proc/self/stat ] || { _hf_o=-$_hf_w; return 0; }
for _hf_s in /proc/[0-9]*/stat; do
{ IFS= read -r _hf_a <"$_hf_s"; } 2>/dev/null || continue
_hf_s=\${_hf_s#/proc/}
set -- \${_hf_s%/stat} \${_hf_a##*) }
if [ "$4" = $_hf_w ] && [ "$3" != $_hf_w ] && [ "$1" != $_hf_w ] && [ "$2" != Z ]; then _hf_o="$_hf_o $1"; fi
done
[ -n "$_hf_o" ]
}
_hf_end() {
kill -TERM -$_hf_w 2>/dev/null
_hf_t=0
while _hf_others && [ $_hf_t -lt $_hf_g ]; do
sleep 1
_hf_t=$((_hf_t + 1))
done
[ -z "$_hf_o" ] || kill -KILL $_hf_o 2>/dev/null
}
`

/** Takes the first line of stdin, and makes the shell deaf to the TERM that it sends to its own group. */
export const beginning = `_hf_n='
'
IFS= read -r _hf_p || exit 125
eval "$_hf_p"
unset _hf_p
trap : TERM
${endOfGroup}_hf_w=$$
`

/** Runs the command in mode `o`, `i` or `r`. */
export const running = `if [ $_hf_m = i ] && [ "$(printf abcd | dd bs=4 count=1 iflag=fullblock 2>/dev/null)" != abcd ]; then _hf_m=r; fi
printf '%s+%s%s;' $_hf_k $$ $_hf_m
if [ $_hf_m = r ]; then
( exec "$@" )
_hf_c=$?
printf '%s=%s;' $_hf_k $_hf_c
sleep $_hf_l
exit $_hf_c
fi
{
trap : TERM
while IFS= read -r _hf_a; do
case $_hf_a in
ok) exit 0 ;;
end) exec >&- ;;
kill) break ;;
*) dd bs=$_hf_a count=1 iflag=fullblock 2>/dev/null || exec >/dev/null ;;
esac
done
_hf_end
} | {
trap : TERM
if [ $_hf_m = o ]; then ( exec "$@" </dev/null ); else ( exec "$@" ); fi
_hf_c=$?
printf '%s=%s;' $_hf_k $_hf_c
exit $_hf_c
}
`

/**
 * The shell program that runs in the container around each command. It is the same for every exec, so the URL (and with
 * it the audit log) says nothing; nonce, mode and argv come as the first line of stdin.
 *
 * Only builtins, `dd` and `sleep` are used, in what dash, bash and BusyBox ash have in common:
 * - `read` takes single bytes from a pipe, so it never eats what follows its line.
 * - `exec "$@"` runs a program even where a builtin or function has the name of the command.
 * - `$$` is the wrapper's own pid in subshells too, and a runtime starts each exec as the leader of a process group,
 *   so `kill -$$` reaches the command and all it started (but not what made a session of its own).
 * - The first half of the pipeline reads the control lines, the second runs the command; the shell waits for both, so
 *   the process and its pipes live until the client has acknowledged (line `ok`) that it has every byte.
 *
 * Modes: `o` no stdin; `i` stdin in blocks `<length>` LF bytes, `end` for EOF; the wrapper itself answers `r` instead
 * of `i` where `dd` cannot read whole blocks: then stdin belongs to the command as it is, with no acknowledgement.
 * Losing the connection or `kill` ends the command: TERM to the group, KILL to what is left after the grace time. In mode `i` the command
 * then never sees an EOF that looks like the end of its data.
 */
export const bootstrap = `${beginning}${running}`

export interface Preamble {
  /** 32 hex digits that the command never sees. */
  readonly nonce: string
  readonly mode: 'o' | 'i'
  readonly command: readonly string[]
  readonly killGraceSeconds: number
  /** Mode `r`: how long the wrapper stays after the command so that the runtime does not drop unread output. */
  readonly lingerSeconds: number
}

/** The first line of stdin, as the wrapper evaluates it. One line, whatever the argv holds. */
export function renderPreamble({ nonce, mode, command, killGraceSeconds, lingerSeconds }: Preamble): string {
  const argv = command.map(quote).join(' ')
  return `_hf_k=${nonce} _hf_m=${mode} _hf_g=${killGraceSeconds} _hf_l=${lingerSeconds}; set -- ${argv}\n`
}

/** In single quotes; a newline comes from the variable `_hf_n`, since `read` takes one line. */
export function quote(arg: string): string {
  return `'${arg.replaceAll("'", `'\\''`).replaceAll('\n', `'"$_hf_n"'`)}'`
}

/** Commands the wrapper cannot pass on as they are: `exec` would take the first word for an option. */
export function isWrappable(command: readonly string[]): boolean {
  return !(command[0] ?? '').startsWith('-')
}
