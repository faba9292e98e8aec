"""What the simulation has found, each as a plan cut small that broke an invariant before the mend; register.toml says what was wrong."""
