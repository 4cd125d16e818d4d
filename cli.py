"""The front door `stockd`. Each command stands in runtime/commands/ and is loaded when called for.

Exit codes: 0 done, 1 the thing itself failed (one line on stderr), 2 wrong usage or configuration.
"""

from __future__ import annotations

import sys
from importlib import import_module

import click

# command: (module below runtime.commands, one line of help); a command is ``command`` in its module
# or, where a module has several, the function of that name
COMMANDS = {
    "demo": ("demo", "시뮬레이터로 기계 전체를 돌려 보여 줍니다"),
    "up": ("stack", "이 컴퓨터에서 전체를 켭니다 (백그라운드)"),
    "down": ("stack", "켠 것을 모두 끕니다"),
    "status": ("stack", "무엇이 돌고 있는지 봅니다"),
    "market": ("daemons", "시장 데몬 하나 (포그라운드)"),
    "trader": ("daemons", "매매 데몬 하나 (포그라운드)"),
    "watchdog": ("daemons", "감시: 조용해지면 사람에게 알립니다"),
    "sim": ("daemons", "시뮬레이터만 (KIS 대역)"),
    "watch": ("watch", "관심 종목: list add remove"),
    "condition": ("condition", "매매 조건: list add arm disarm remove"),
    "halt": ("halt", "새 주문을 멈춥니다"),
    "resume": ("halt", "멈춤을 풉니다 (사람만)"),
    "budget": ("budget", "앱키마다 호출 레인: 사용, 대기, 거절"),
    "top": ("top", "돌고 있는 기계 전체를 한 화면에, 1초마다"),
    "chart": ("chart", "봉 차트: 터미널, --png 그림"),
    "record": ("record", "받은 전문을 기록: on off status"),
    "replay": ("replay", "기록한 하루를 다시 흘려 봉을 만듭니다"),
    "publicdata": ("publicdata", "3계층: 전종목 일별 시세를 받아 둡니다"),
    "ledger": ("ledger", "원장: verify, settle"),
    "report": ("report", "저녁 대사: 원장과 증권사와 계좌를 견줍니다"),
    "explain": ("ledger", "주문이 왜 나갔는지 보여 줍니다"),
    "health": ("health", "프로세스 하나가 일을 하고 있는지 (건강 검사)"),
    "doctor": ("doctor", "장 시작 전에 모든 것을 점검합니다"),
    "probe": ("probe", "첫날: 증권사에 물어볼 것을 읽기로만 묻습니다"),
    "backup": ("backup", "다시 받을 수 없는 것을 파일에 둡니다"),
    "restore": ("backup", "백업을 되돌립니다"),
    "config": ("config", "설정 보기 (비밀은 가림)"),
    "db": ("db", "데이터베이스: url, migrate"),
    "bench": ("bench", "측정 하나"),
    "gnuboard": ("gnuboard", "그누보드5 플러그인: install uninstall check"),
    "drill": ("drill", "가드를 하나씩 작동시켜 봅니다"),
}


class FrontDoor(click.Group):
    """A group that knows its commands' names and loads a command only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = f"runtime.commands.{COMMANDS[cmd_name][0]}"
        module = import_module(name)
        found: click.Command = getattr(module, cmd_name, None) or module.command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=FrontDoor, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="stockd")
def stockd() -> None:
    """stockd: an auto-trading machine for Korean stocks."""


def main(args: list[str] | None = None) -> None:
    """Run a command; errors of ours become one line on stderr and an exit code."""
    from runtime.commands import exit_code_of

    try:
        code = stockd.main(args, prog_name="stockd", standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(wrong.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except Exception as error:
        known = exit_code_of(error)
        if known is None:
            raise
        click.echo(f"stockd: {error}", err=True)
        sys.exit(known)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
