"""The recipe's modules lie side by side and import one another, as scripts do."""

import sys
from pathlib import Path

RECIPE = Path(__file__).parents[2] / "examples" / "embedded"
sys.path.append(str(RECIPE))
