"""How a run is measured and a step is run, shared by the runners: the programs beside a candidate, what they report
and what that means. Imports no other adapter."""
