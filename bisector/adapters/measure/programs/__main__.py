"""`python3 -I -S -E DIRECTORY attend|measure|listing …`: what a directory of these programs runs."""

import sys

from bisector.adapters.measure.programs import attend, listing, measure

{"attend": attend.main, "measure": measure.main, "listing": listing.main}[sys.argv[1]](sys.argv[2:])
