"""`python3 -I -S -E DIRECTORY measure|listing …`: what a directory of these programs runs."""

import sys

from bisector.adapters.measure.programs import listing, measure

{"measure": measure.main, "listing": listing.main}[sys.argv[1]](sys.argv[2:])
