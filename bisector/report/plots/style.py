"""How plots look: the palette of Okabe and Ito, told apart by shape and dash as well as by colour."""

PALETTE = """
  --plot-old: #0072b2; --plot-new: #c44e00; --plot-unsure: #6b7280;
  --plot-ink: #1f2937; --plot-soft: #5b6472; --plot-rule: #d9dde3; --plot-ground: #ffffff; --plot-mark: #111827;
"""
DARK_PALETTE = """
  --plot-old: #56b4e9; --plot-new: #f0a040; --plot-unsure: #9aa4b2;
  --plot-ink: #e5e7eb; --plot-soft: #a3acba; --plot-rule: #333a45; --plot-ground: #171b21; --plot-mark: #f3f4f6;
"""
RULES = """
.plot { display: block; width: 100%; height: auto; font: 12px system-ui, "Segoe UI", Roboto, Helvetica, sans-serif; }
.plot text { fill: var(--plot-ink); }
.plot .soft { fill: var(--plot-soft); }
.plot .strong { font-weight: 650; }
.plot .rule { stroke: var(--plot-rule); stroke-width: 1; }
.plot .axis { stroke: var(--plot-soft); stroke-width: 1; fill: none; }
.plot .old { fill: var(--plot-old); }
.plot .new { fill: var(--plot-new); }
.plot .unsure { fill: var(--plot-ground); stroke: var(--plot-unsure); stroke-width: 1.4; }
.plot .run { fill-opacity: .82; }
.plot .run:hover { fill-opacity: 1; stroke: var(--plot-mark); stroke-width: 1.5; }
.plot .level { fill: none; stroke-width: 2; }
.plot .level.old { stroke: var(--plot-old); }
.plot .level.new { stroke: var(--plot-new); stroke-dasharray: 7 4; }
.plot .level.unsure { stroke: var(--plot-unsure); stroke-width: 2; stroke-dasharray: 2 3; }
.plot .interval { stroke: none; fill-opacity: .14; }
.plot .interval.unsure { fill: var(--plot-unsure); }
.plot .band { fill: var(--plot-unsure); fill-opacity: .16; }
.plot .gap { fill: var(--plot-rule); fill-opacity: .35; }
.plot .culprit { stroke: var(--plot-mark); stroke-width: 1.3; stroke-dasharray: 3 3; fill: none; }
.plot .flag { fill: var(--plot-mark); }
.plot .hatch { stroke: var(--plot-soft); stroke-width: 1.2; }
.plot .broken { stroke: var(--plot-soft); stroke-width: .8; }
.plot .bar { fill: var(--plot-unsure); fill-opacity: .55; }
.plot .bar.likely { fill: var(--plot-new); fill-opacity: 1; }
.plot .bar.none { stroke: var(--plot-soft); }
.plot .median { stroke: var(--plot-mark); stroke-width: 2.2; }
.plot .halo { paint-order: stroke; stroke: var(--plot-ground); stroke-width: 4px; stroke-linejoin: round; }
"""


def stylesheet() -> str:
    """The rules of all plots, for light and dark."""
    return (
        f":root {{{PALETTE}}}\n@media (prefers-color-scheme: dark) {{ :root {{{DARK_PALETTE}}} }}\n"
        f"@media print {{ :root {{{PALETTE}}} }}{RULES}"
    )
