"""Shell completion: scripts for three shells, which ask `mockvod __complete` for candidates."""

from collections.abc import Iterable, Sequence

from mockvod.cli.command import Command, Option, Options, choice, command, option, setting_options

TITLE = "Shell completion"

SCRIPTS = {
    "bash": """\
_mockvod() {
    local IFS=$'\\n'
    COMPREPLY=($(mockvod __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
    [[ ${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _mockvod mockvod""",
    "zsh": """\
#compdef mockvod
_mockvod() {
    local -a found
    found=("${(@f)$(mockvod __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    [[ -n "$found" ]] && compadd -a found || _files
}
compdef _mockvod mockvod""",
    "fish": """\
function __mockvod
    set -l words (commandline -opc) (commandline -ct)
    mockvod __complete $words[2..-1] 2>/dev/null
end
complete -c mockvod -a '(__mockvod)'""",
}


@command(
    "completion",
    "Print a completion script, for example: source <(mockvod completion bash)",
    option("shell", type=choice(*SCRIPTS), metavar="|".join(SCRIPTS), help="the shell"),
)
def completion(options: Options) -> None:
    print(SCRIPTS[options.shell])


def candidates(commands: Iterable[Command], words: Sequence[str]) -> list[str]:
    """The completions of the last of *words*."""
    *before, last = words or [""]
    by_name = {one.name: one for one in commands}
    given = [word for word in before if not word.startswith("-")]
    name = next((name for name in (" ".join(given[:2]), " ".join(given[:1])) if name in by_name), None)
    found: list[str] = []
    if not before or (len(before) == 1 and name in {before[0], None}):
        start = [*before, ""]
        found += [one.split()[len(start) - 1] for one in by_name if one.startswith(" ".join(start)) and one != name]
    if name is not None:
        found += _values(by_name[name], before, last)
    return [one for one in dict.fromkeys(found) if one.startswith(last)]


def _values(of: Command, before: Sequence[str], last: str) -> Iterable[str]:
    options: list[Option] = [*of.options, *(setting_options() if of.takes_settings else ())]
    previous = next((option for option in options if before[-1] in option.names), None)
    if previous is not None and before[-1].startswith("-") and previous.keywords.get("action") is None:
        return previous.choices
    if last.startswith("-"):
        return [*(name for option in options for name in option.names if name.startswith("-")), "--help"]
    return [one for option in options if not option.names[0].startswith("-") for one in option.choices]
