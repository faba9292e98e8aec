"""What the simulation has found: plans cut small that broke an invariant before the mend (register.toml)."""
