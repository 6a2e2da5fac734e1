"""The whole file, its blocks in the order in which keepalived wants them: what is named stands before who names it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vrrp.config.grammar import FILE, GLOBAL_DEFS
from vrrp.config.keepalived import parse
from vrrp.config.model import GlobalDefs, KeepalivedConfig, LinkDelays, OtherBlock
from vrrp.config.routing.model import TrackGroup
from vrrp.config.writer.following import Weights, definitions
from vrrp.config.writer.instance import group_block, instance_block, route_block, rule_block, static_address_block
from vrrp.config.writer.servers import server_block, server_group_block, ssl_block
from vrrp.config.writer.settings import GLOBAL_SETTINGS, needed
from vrrp.config.writer.text import block, options, seconds, some_block, statement, word


def write(config: KeepalivedConfig) -> str:
    """The text of a keepalived.conf.

    Args:
        config: what it is to mean. Whoever reads the text gets the same, but for the line numbers; as keepalived
            would read it, it must be possible: one that was read is.

    Returns:
        Lines of 4 blanks a level, blocks with an empty line between them, each line ended; "" for nothing.
    """
    return "\n".join("".join(f"{line}\n" for line in part) for part in map(list, _parts(config)) if part)


def _parts(config: KeepalivedConfig) -> Iterator[Iterable[str]]:
    global_defs = list(_global_defs(config.globals))
    weights = Weights.of(config)
    yield options(config.options, FILE)
    yield global_defs
    yield from (_other(one) for one in config.others)
    yield _link_delays(config.link_delays)
    yield from (_track_group(one) for one in config.track_groups.values())
    yield static_address_block(config.static_addresses)
    yield route_block("static_routes", config.static_routes)
    yield rule_block("static_rules", config.static_rules)
    yield from definitions(config)
    yield from (instance_block(one, global_defs, weights) for one in config.instances)
    yield from (group_block(one, weights) for one in config.sync_groups)
    if config.ssl is not None:
        yield ssl_block(config.ssl)
    yield from (server_group_block(one) for one in config.virtual_server_groups)
    yield from (server_block(one) for one in config.virtual_servers)


def _global_defs(wanted: GlobalDefs) -> Iterator[str]:
    runs = {keyword: one.command for keyword, one in wanted.runnables.items()}
    kept = list(options(wanted.options, GLOBAL_DEFS, runs))

    def read(lines: list[str]) -> GlobalDefs:
        return parse("\n".join(block("global_defs", lines, kept))).config.globals

    yield from some_block("global_defs", (*needed(wanted, GLOBAL_SETTINGS, read), *kept))


def _track_group(one: TrackGroup) -> Iterator[str]:
    members = some_block("group", map(word, one.members))
    return block(statement("track_group", word(one.name)), members)


def _link_delays(delays: Iterable[LinkDelays]) -> Iterator[str]:
    lines = (statement(word(one.interface), seconds(one.down_ns), seconds(one.up_ns)) for one in delays)
    return some_block("interface_up_down_delays", lines)


def _other(one: OtherBlock) -> Iterator[str]:
    context = FILE.tables.get(one.name, FILE)
    return block(statement(one.name, *map(word, one.arguments)), options(one.options, context))
