"""The machine that runs workflows. It knows no database engines and no clouds."""
