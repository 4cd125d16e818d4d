"""`python -m simulator`: a KIS on two ports until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import gc
import json
import signal
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from simulator import scenario as scenarios
from simulator.journal import Journal
from simulator.keys import customer, settings_toml
from simulator.server import Server
from simulator.world import World, build


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__)
    parser.add_argument("--rest-port", type=int, default=0, help="0 = a free port")
    parser.add_argument("--ws-port", type=int, default=0, help="0 = a free port")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--scenario", default="calm", help=f"{', '.join(scenarios.names())}, FILE")
    parser.add_argument("--set", action="append", default=[], metavar="KNOB=VALUE", dest="knobs")
    parser.add_argument("--log", type=Path, metavar="DIR", help="write calls, orders, frames there")
    parser.add_argument("--no-frame-log", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, metavar="TICKS_PER_S")
    parser.add_argument("--symbols", default="200", metavar="N|FILE", help="stocks, or a CSV file")
    parser.add_argument("--sections", type=int, default=5, help="app keys")
    parser.add_argument("--clock", default="", metavar="HH:MM:SS", help="exchange time at start")
    parser.add_argument("--date", default="", metavar="YYYYMMDD", help="exchange date")
    parser.add_argument(
        "--replay", type=Path, nargs="+", metavar="FILE", default=[], help="play recorded frames"
    )
    parser.add_argument("--replay-speed", type=float, default=1.0, help="0 = as fast as it goes")
    parser.add_argument("--ready-file", type=Path, metavar="FILE")
    parser.add_argument("--print-settings", action="store_true", help="print TOML and end")
    return parser


def _world(options: argparse.Namespace) -> World:
    """The world asked for. ValueError names the option that is wrong."""
    scenario = scenarios.load(options.scenario)
    for knob in options.knobs:
        name, _, text = knob.partition("=")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        scenario.change({name: value})
    if options.rate is not None:
        scenario.change({"rate": options.rate})
    if options.clock:
        datetime.strptime(options.clock, "%H:%M:%S").replace(tzinfo=UTC)
    day: date | None = None
    if options.date:
        day = datetime.strptime(options.date, "%Y%m%d").replace(tzinfo=UTC).date()
    for path in options.replay:
        if not path.is_file():
            raise ValueError(f"--replay {path}: no such file")
    symbols = int(options.symbols) if options.symbols.isdigit() else Path(options.symbols)
    if isinstance(symbols, Path) and not symbols.is_file():
        raise ValueError(f"--symbols {symbols}: neither a number nor a file")
    return build(
        scenario,
        Journal(options.log, frames=not options.no_frame_log),
        seed=options.seed,
        sections=options.sections,
        symbols=symbols,
        start=options.clock,
        day=day,
    )


async def _run(world: World, options: argparse.Namespace) -> None:
    server = Server(world, options.host)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    urls = await server.start(options.rest_port, options.ws_port)
    if options.replay:
        server.play(options.replay, options.replay_speed)
    gc.collect()
    gc.freeze()  # what was built at start lives to the end; do not look through it again
    line = json.dumps(urls)
    if options.ready_file:
        partial = options.ready_file.with_suffix(".part")
        partial.write_text(line + "\n", "utf-8")
        partial.replace(options.ready_file)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
    await stopped.wait()
    await server.stop()


def main(arguments: list[str] | None = None) -> int:
    """Run the simulator; 2 for a wrong option, 1 when a port is taken."""
    options = _parser().parse_args(arguments)
    if options.print_settings:
        customers = [customer(number) for number in range(1, options.sections + 1)]
        rest, feed = options.rest_port or 9443, options.ws_port or 21000
        host = options.host
        sys.stdout.write(settings_toml(f"http://{host}:{rest}", f"ws://{host}:{feed}", customers))
        return 0
    try:
        world = _world(options)
    except ValueError as wrong:
        sys.stderr.write(f"simulator: {wrong}\n")
        return 2
    try:
        asyncio.run(_run(world, options))
    except OSError as wrong:
        sys.stderr.write(f"simulator: {wrong}; choose another --rest-port or --ws-port\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
