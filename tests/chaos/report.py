"""What a run prints."""

from tests.chaos.run import Report

_SHOWN = 12


def lines(report: Report) -> list[str]:
    """Return the figures and, where something is wrong, what."""
    after, provider = report.after_look, report.provider
    faults = provider["faults"]
    kinds = ", ".join(f"{name} {count}" for name, count in sorted(faults.items()))
    told = [
        f"seed       {report.scale.seed}",
        f"goals      {report.scale.goals}",
        f"kills      {report.kills}",
        f"restarts   {report.restarts} of the database",
        f"freezes    {report.freezes} of a worker, past its lease",
        f"faults     {sum(faults.values())} in {provider['requests']} requests ({kinds})",
        f"effects    {after.effects}",
        f"doubled    {after.doubled}",
        f"lost       {after.lost}",
        f"unknown    {report.verdict.unknown}, all settled by a look at the provider"
        if not after.unknown
        else f"unknown    {report.verdict.unknown}, of which {after.unknown} are so still",
        f"stopped    {after.stopped} that need the result of one that a person vouched for",
        f"cards      {provider['cards']} posted, {provider['cards_doubled']} twice",
        f"audit      {report.audit_rows} rows",
        f"seconds    {report.seconds:.0f}",
    ]
    problems = [*report.verdict.problems, *report.after_look.problems]
    told += [f"WRONG      {problem}" for problem in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        told.append(f"WRONG      and {len(problems) - _SHOWN} more")
    return told
